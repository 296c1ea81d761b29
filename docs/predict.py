"""Predict with a weightsmith base model and NumPy alone: predict.py WEIGHTS.safetensors DATA.csv OUT.csv"""
import csv, io, json, math, re, struct, sys
from collections import Counter
import numpy as np

# Among numbers, in any case of letters. Signs of currencies, per cent and thousands are not read here.
MISSING = {"", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "?", "-", "--", "---", "–", "—", ".", "*"}
KINDS = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
ACTIVATIONS = {"relu": lambda s: np.maximum(s, 0), "tanh": np.tanh,
               "gelu": lambda s: s * (1 + np.vectorize(math.erf)(s / math.sqrt(2))) / 2}

def encode(transform, fields):
    kind, how = (transform, {"centre": 0}) if isinstance(transform, str) else next(iter(transform.items()))
    numeric = kind in ("standard", "gaussian_rank", "missing")
    gone = np.array([field.strip().lower() in MISSING if numeric else field == "" for field in fields])
    if numeric and kind != "missing":
        v = np.array([math.nan if no else float(field) for field, no in zip(fields, gone)])
        if kind == "gaussian_rank":
            return np.where(gone, 0, np.interp(v, *np.array(how["knots"]).T))
        z = np.clip((v - how["centre"]) / how["scale"], -1e9, 1e9)
        return np.where(gone, 0, z / np.sqrt(1 + (z / 4) ** 2))
    hit = {"missing": gone, "missing_level": gone, "constant": np.zeros(len(fields)),
           "level": ~gone & [field == how.get("level") for field in fields],
           "other_level": ~gone & [field not in how.get("levels", []) for field in fields]}[kind]
    return (hit - how["centre"]) / 0.5

SPACE = "[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"

def separator(c):
    return not c.isalnum() if c < "\x80" else c <= "\xbf" or c in "\xd7\xf7" or "\u2000" <= c <= "\u206f" or "\u3000" <= c <= "\u303f"

def numbers_of(text, field):
    """Scores of a text, as fields; see crates/base-model/src/text.rs."""
    if field == "":
        return [""] * len(text["scores"])
    lower, scores = field.lower()[:2000], np.zeros(len(text["scores"]))
    words = [word for word in "".join(" " if separator(c) else c for c in lower).split(" ") if word]
    spaced = [f" {word} " for word in re.split(SPACE, lower) if word]
    pieces = [word[i:i + n] for word in spaced for n in range(2, 6) for i in range(len(word) + 1 - n)]
    pairs = [" ".join(pair) for pair in zip(words, words[1:])]
    for group, found in (text["words"], Counter(words + pairs)), (text["pieces"], Counter(pieces)):
        known = {ngram: at for at, ngram in enumerate(group["ngrams"]) if ngram in found}
        count = np.array([found[ngram] for ngram in known])
        rarity = (1 + text["n_texts"]) / (1 + np.array(group["texts"])[list(known.values())])
        values = (1 + np.log(count)) * (1 + np.log(rarity))
        if known:
            scores += np.array(group["weights"])[:, list(known.values())] @ (values / np.linalg.norm(values))
    return [repr(float(number)) for number in scores.tolist()]

raw = open(sys.argv[1], "rb").read()
start = 8 + struct.unpack("<Q", raw[:8])[0]
header, t = json.loads(raw[8:start]), {}
meta = header.pop("__metadata__")
for name, info in header.items():
    a = np.frombuffer(raw[slice(*(start + offset for offset in info["data_offsets"]))], KINDS[info["dtype"]])
    a = (a.astype("<u4") << 16).view("<f4") if a.dtype == "u2" else a  # BF16 is the upper half of F32
    t[name] = a.astype(float).reshape(info["shape"])
encoding, network, classes = (json.loads(meta[key]) for key in ("encoding", "architecture", "class_names"))
unit = json.loads(meta.get("target_unit", "{}")) if meta["format_version"] != "1" else {}
text = open(sys.argv[2], newline="", encoding="utf-8-sig").read()
delimiter = max(",;\t", key=text.lstrip("\r\n").splitlines()[0].count)
top, *rows = filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
top = [name or f"column_{position}" for position, name in enumerate(top, 1)]
columns = {name: [row[at] for row in rows] for at, name in enumerate(top)}
for text in encoding.get("texts", []):
    made = [numbers_of(text, field) for field in columns[text["column"]]]
    columns |= zip(text["scores"], map(list, zip(*made)))
fields = [columns[name] for name, _ in encoding["inputs"]]
x = units = np.stack([encode(c["transform"], fields[c["source"]]) for c in encoding["columns"]], axis=1)
n_layers = len(network["hidden"])
for layer in ["hidden"] if n_layers == 1 else [f"hidden.{i}" for i in range(n_layers)]:
    units = ACTIVATIONS[network["activation"]](units @ t[layer + ".weight"].T + t[layer + ".bias"])
out = t["output.bias"] + (x @ t["skip.weight"].T if network["skip"] else 0)
out = out + (units @ t["output.weight"].T if n_layers else 0)
with open(sys.argv[3], "w", newline="", encoding="utf-8") as file:
    write, p = csv.writer(file, lineterminator="\n").writerow, np.exp(out - out.max(axis=1, keepdims=True))
    std = json.loads(meta.get("expected_performance", "{}")).get("residual_std")
    write(["prediction"] + (["probability_" + name for name in classes] or ["std"]))
    for value, row in zip(unit.get("centre", 0) + unit.get("scale", 1) * out, (p / p.sum(axis=1, keepdims=True)).tolist()):
        write([classes[np.argmax(row)], *row] if classes else [value[0], std])
