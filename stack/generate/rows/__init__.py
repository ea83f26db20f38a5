"""The rows of the dashboard «Spansieve», a module each."""
