"""Training on unlabelled text: from files to a folder that transformers' AutoModel loads.

- ``options`` says what may be chosen; ``files`` finds the files of text, ``versions`` says which version each is;
- ``texts`` reads and cleans them and leaves out what stands in validation or test; ``selection`` keeps the lines that
  are most like the train texts;
- ``tokens`` makes the vocabulary, cuts the texts into rows and keeps their ids on disk, ``store`` maps them;
- ``beginnings`` gives a network from nothing its first embeddings;
- ``preparing`` does all of that, once;
- ``masking`` draws what is hidden, ``pairs`` makes pairs of sentences, ``batches`` puts both together;
- ``networks`` are what it begins with, ``model`` and ``replacing`` the objectives, ``sums`` what they say of a batch;
- ``course`` is the limit and the learning rate, ``training`` the loop, ``checkpoint`` what it saves;
- ``pretrain`` does all of it.
"""
