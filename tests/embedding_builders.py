"""A small but real model2vec model: a table of word vectors in which words of one meaning lie together."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from model2vec import StaticModel
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace

DIMENSIONS = 16
# Each line is one meaning; no word of a line shares its stem with another.
MEANINGS = {
    "card": "card plastic visa mastercard cheque amex",
    "rate": "exchange conversion course forex currency",
    "login": "password passcode pin credentials authentication",
    "voice": "loud noisy deafening shouting blaring",
}


def static_model(folder: Path, meanings: Mapping[str, str] = MEANINGS, seed: int = 0) -> Path:
    """Save a model that knows the words of `meanings` and no others into `folder`."""
    random = np.random.default_rng(seed)
    vocabulary, vectors = {"[PAD]": 0, "[UNK]": 1}, [np.zeros(DIMENSIONS)] * 2
    for line in meanings.values():
        centre = random.normal(size=DIMENSIONS)
        for word in line.split():
            vocabulary[word] = len(vectors)
            vectors.append(centre + 0.2 * random.normal(size=DIMENSIONS))
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = Lowercase(), Whitespace()
    StaticModel(vectors=np.array(vectors, np.float32), tokenizer=tokenizer).save_pretrained(folder)
    return folder
