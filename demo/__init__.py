"""A small LLM application, a stand-in for its provider, and a tour of what the gateway makes of their telemetry.

conversation ─▶ app ─▶ provider            python -m demo.provider     the stand-in alone
                 │ OTLP                    python -m demo.app          the application, to any OTLP endpoint
                 ▼                         python -m demo              all of it with a gateway, explained
              gateway
"""
