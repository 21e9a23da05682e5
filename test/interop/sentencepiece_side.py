"""Trains a SentencePiece unigram on a corpus and encodes texts and pairs with it: JSON in, JSON out."""

import base64
import json
import sys
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

folder, rule = Path(sys.argv[1]), sys.argv[2]
asked = json.load(sys.stdin)

(folder / "corpus.txt").write_text("\n".join(asked["corpus"]))
sentencepiece.SentencePieceTrainer.train(
    input=str(folder / "corpus.txt"),
    model_prefix=str(folder / rule),
    model_type="unigram",
    normalization_rule_name=rule,
    vocab_size=asked["pieces"],
    character_coverage=1.0,
    pad_id=0,
    unk_id=1,
    bos_id=2,
    eos_id=3,
    num_threads=1,
    minloglevel=2,
)
processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / f"{rule}.model"))
model = sentencepiece_model_pb2.ModelProto()
model.ParseFromString((folder / f"{rule}.model").read_bytes())

BEGIN, END = [2], [3]


def pair(first, second, room):
    """Longest first: the longer text loses a token until they fit; of equal ones, the one that was shorter."""
    a, b = list(first), list(second)
    while len(a) + len(b) > room:
        longer = a if len(a) > len(b) or (len(a) == len(b) and len(first) <= len(second)) else b
        longer.pop()
    return BEGIN + a + END + b + END


plain = processor.encode(asked["texts"])
pairs = [processor.encode(texts) for texts in asked["pairs"]]
print(
    json.dumps(
        {
            "version": sentencepiece.__version__,
            "charsmap": base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode(),
            "pieces": [[piece.piece, piece.score] for piece in model.pieces],
            "texts": [BEGIN + ids + END for ids in plain],
            "cut": {room: [BEGIN + ids[:room] + END for ids in plain] for room in asked["rooms"]},
            "pairs": [pair(a, b, 10**9) for a, b in pairs],
            "pairsCut": {room: [pair(a, b, room) for a, b in pairs] for room in asked["rooms"]},
        }
    )
)
