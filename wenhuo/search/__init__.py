"""Search for better parameters of a candidate: declared in ``search.yaml``, kept by Optuna, judged on validation.

``space`` says what a parameter may be, ``declaration`` what is searched, ``changes`` makes values a candidate and its
encoder, ``checking`` finds mistakes, ``project`` says what a study is about, ``studies`` keeps it, ``trials`` trains
one, ``working`` one after the other, ``crew`` looks after the workers, ``running`` and ``showing`` tell, by ``results``
and ``pictures``, ``adding`` writes the best down, by ``insertion``.
"""
