"""Names of persons and places in free text: a small model of our own, and what is put in their place.

    otlp.trace(kept, redactor) → (trace, findings)        Redactor(rules, model).text("…") → ("…", findings)

`tokens` cuts a text, `features` turns words into numbers, `tagger` scores them, `spans` puts names together,
`recogniser` remembers; `view` looks into JSON, `people` knows who is who, `redactor` applies the rules of a policy.
"""
