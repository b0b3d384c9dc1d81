"""What becomes of texts in the hands of people: typing errors, wrong homophones, traditional script, no punctuation."""
