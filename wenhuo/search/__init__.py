"""Search for better parameters of a candidate: declared in ``search.yaml``, kept by Optuna, judged on validation.

``space`` says what may be chosen, ``declaration`` reads and checks it, ``settings`` turns values into a candidate and
its encoder, ``plan`` fixes what a study is about, ``studies`` keeps it, ``trials`` trains one, ``working`` one after
the other, ``running`` looks after the workers, ``results`` and ``pictures`` tell, ``adding`` writes the best down.
"""
