"""The gate: may the winner become champion? Functions on arrays and tables; ``docs/gate.md`` says what they ask."""
