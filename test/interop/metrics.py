"""Metrics by scikit-learn and SciPy: reads a list of cases as JSON, writes a list of {metric: value}.

A case has a kind, one of those in KINDS, and the keys that its function reads. The value is null where the metric is
undefined: NaN, or refused.
"""

import json
import math
import re
import sys
import warnings

import numpy as np
from scipy import stats
from scipy.special import softmax
from sklearn import metrics


def classes(case):
    truth, predicted, labels = case["truth"], case["predicted"], case["labels"]
    f1 = lambda average: metrics.f1_score(truth, predicted, average=average, zero_division=0)
    return {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "f1": f1("binary" if labels == 2 else "macro"),
        "macroF1": f1("macro"),
        "weightedF1": f1("weighted"),
        "matthews": metrics.matthews_corrcoef(truth, predicted),
    }


def defined(function, *values):
    try:
        return float(function(*values)[0])
    except ValueError:
        return math.nan


def values(case):
    truth, predicted = case["truth"], case["predicted"]
    return {
        "pearson": defined(stats.pearsonr, truth, predicted),
        "spearman": defined(stats.spearmanr, truth, predicted),
        "rmse": metrics.root_mean_squared_error(truth, predicted),
    }


def label_sets(case):
    truth, logits = np.array(case["truth"]), np.array(case["logits"], float)
    predicted = (logits > 0).astype(int)
    if truth.shape[1] == 1:
        # scikit-learn reads one column as two classes.
        f1 = metrics.f1_score(truth[:, 0], predicted[:, 0], average="binary", zero_division=0)
        return {
            "microF1": f1,
            "macroF1": f1,
            "meanAveragePrecision": metrics.average_precision_score(truth[:, 0], logits[:, 0]),
        }
    return {
        "microF1": metrics.f1_score(truth, predicted, average="micro", zero_division=0),
        "macroF1": metrics.f1_score(truth, predicted, average="macro", zero_division=0),
        "meanAveragePrecision": metrics.average_precision_score(truth, logits, average="macro"),
    }


def top5(case):
    scores = np.array(case["logits"], float)
    labels = range(scores.shape[1])
    # scikit-learn wants one column for two classes.
    columns = scores[:, 1] if len(labels) == 2 else scores
    return {"top5Accuracy": metrics.top_k_accuracy_score(case["truth"], columns, k=5, labels=labels)}


def tokens(case):
    following, logits = [], []
    for text in case["texts"]:
        pairs = zip(text["labels"][1:], text["logits"])
        for label, row in pairs:
            if label != -100:
                following.append(label)
                logits.append(row)
    logits = np.array(logits, float)
    loss = metrics.log_loss(following, softmax(logits, axis=1), labels=range(logits.shape[1]))
    return {
        "perplexity": math.exp(loss),
        "tokenAccuracy": metrics.accuracy_score(following, logits.argmax(axis=1)),
    }


def entities(sentence, tags):
    """conlleval's entities as a grammar: within a run of one type, one S, one E, or a B or I with what continues it."""
    run = re.compile("S|E|[BI]I*E?")
    found, start = set(), 0
    while start < len(tags):
        kind, end = tags[start][2:], start
        while end < len(tags) and tags[end] != "O" and tags[end][2:] == kind:
            end += 1
        for part in run.finditer("".join(tag[0] for tag in tags[start:end])):
            found.add((sentence, kind, start + part.start(), start + part.end()))
        start = max(end, start + 1)
    return found


def spans(case):
    true, made, tags = set(), set(), ([], [])
    for i, pair in enumerate(case["sentences"]):
        truth, predicted = (text.split(" ") for text in pair)
        true |= entities(i, truth)
        made |= entities(i, predicted)
        tags[0].extend(truth)
        tags[1].extend(predicted)
    # One that is in neither, so that there is always something to count.
    every = [*(true | made), None]
    sides = [e in true for e in every], [e in made for e in every]
    return {
        "entityPrecision": metrics.precision_score(*sides, zero_division=0),
        "entityRecall": metrics.recall_score(*sides, zero_division=0),
        "entityF1": metrics.f1_score(*sides, zero_division=0),
        "tagAccuracy": metrics.accuracy_score(*tags),
    }


KINDS = {
    "classes": classes,
    "values": values,
    "label sets": label_sets,
    "top 5": top5,
    "tokens": tokens,
    "spans": spans,
}

warnings.simplefilter("ignore")
results = [KINDS[case["kind"]](case) for case in json.load(sys.stdin)]
finite = [{name: None if math.isnan(v) else float(v) for name, v in result.items()} for result in results]
json.dump(finite, sys.stdout)
