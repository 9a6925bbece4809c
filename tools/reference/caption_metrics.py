"""Writes tests/golden/captions/caption_metrics.json: what published programs make of a small set of
captions, and of the AudioCaps validation set where its file is given.

BLEU, ROUGE-L, CIDEr-D and the Stanford tokenizer: pycocoevalcap 1.2.
METEOR: the program of version 1.5 inside that package, told to use only its matchers for equal words and
equal stems and to weigh function words like all others (-m 'exact stem' -w '1.0 0.6' -p '0.85 0.2 0.6 0.5').
Stems: the English Snowball stemmer that METEOR carries. (That of nltk 3 ends snowization as snowize.)

Run with pycocoevalcap and a Java program on the path:
    python tools/reference/caption_metrics.py [AUDIOCAPS_VAL.csv]
"""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pycocoevalcap
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

FOLDER = Path(list(pycocoevalcap.__path__)[0])

# Hypothesis, then references. Written for this file.
CAPTIONS = [
    ["A dog runs across the snowy yard.", "A brown dog is running through the snow.",
     "The dog runs across a yard covered with snow"],
    ["Two men are talking while a car's engine idles.",
     "A car engine is idling, and two men talk; one laughs.", "Men talk over an idling engine (loudly)."],
    ["the the the the the the the", "The cat is on the mat.", "There is a cat on the mat."],
    ["A woman speaks", "A woman speaks"],
    ["a woman speaks and a baby cries", "A woman speaks and a baby cries", "a baby cries"],
    ["", "Birds chirp in the distance"],
    ["Rain", "Heavy rain falls on a metal roof", "It's raining hard"],
    ["He doesn't like it: \"never\", he said...", "He said that he doesn't like it",
     "\"Never\", said the man - he did not like it"],
    ["A crowd cheers and claps, then cheers and claps again, and then a man shouts",
     "A man shouts, then a crowd claps and cheers, then claps and cheers once more",
     "People cheering and clapping again and again"],
    ["Water flowing over rocks", "Flowing water", "Water flows over the rocks", "The flow of water"],
    ["A man in a red shirt plays the guitar on a stage", "A man wearing a red shirt is playing a guitar on stage",
     "A guitarist performs on stage in a red shirt"],
    ["Someone types 1,000 words on a U.S. keyboard", "A person types on a keyboard, 1000 words",
     "Typing on a keyboard with well-worn keys"],
]

ROOTS = ["relat", "gener", "hop", "hopp", "commun", "arsen", "fall", "fly", "cri", "play", "agre", "fe", "siz",
         "troubl", "conflat", "happ", "enjoy", "say", "by", "sensib", "nation", "creat", "form", "active", "hopeful",
         "analog", "radic", "electric", "good", "callous", "decis", "adjust", "depend", "irrit", "bowdler", "effect",
         "contro", "rol", "b", "sk", "y", "yell", "ski", "us", "gas", "kiw", "bus", "box", "snow", "bed", "shed",
         "shred", "luxuri", "ow", "ox", "e", "quick", "vile", "abl", "triplic", "replac", "homolog", "probat"]
SUFFIXES = ["", "s", "es", "ed", "ing", "ingly", "edly", "eed", "eedly", "ies", "ied", "y", "ly", "li", "ation",
            "ational", "tional", "enci", "anci", "abli", "entli", "izer", "ization", "ator", "alism", "aliti", "alli",
            "fulness", "ousli", "ousness", "iveness", "iviti", "biliti", "bli", "ogi", "fulli", "lessli", "alize",
            "icate", "iciti", "ical", "ful", "ness", "ative", "al", "ance", "ence", "er", "ic", "able", "ible", "ant",
            "ement", "ment", "ent", "ism", "ate", "iti", "ous", "ive", "ize", "sion", "tion", "e", "le", "ll", "'s",
            "'s'", "'", "ss", "us", "ying", "yed", "yly"]
WORDS = ["skis", "skies", "dying", "lying", "tying", "idly", "gently", "ugly", "early", "only", "singly", "sky", "news",
         "howe", "atlas", "cosmos", "bias", "andes", "innings", "outing", "canning", "herrings", "earring", "proceeds",
         "exceeded", "succeeding", "'tis", "a", "is", "tie", "ties", "cry", "cries", "dies", "gaps", "kiwis", "this",
         "1000", "1000s", "mp3s", "generously", "communism", "arsenal", "playing", "yes", "youth", "boyish", "sayings"]


def simple(text):
    return " ".join(re.sub("[^a-z0-9 ]", "", text.lower()).split())


def meteor(hypotheses, references):
    command = ["java", "-jar", "-Xmx1G", str(FOLDER / "meteor/meteor-1.5.jar"), "-", "-", "-stdio", "-l", "en", "-lower",
               "-m", "exact stem", "-w", "1.0 0.6", "-p", "0.85 0.2 0.6 0.5"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(line):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    statistics = [ask("SCORE ||| " + " ||| ".join(r + [h])) for h, r in zip(hypotheses, references)]
    process.stdin.write("EVAL ||| " + " ||| ".join(statistics) + "\n")
    process.stdin.flush()
    values = [float(process.stdout.readline()) for _ in range(len(hypotheses) + 1)]
    process.stdin.close()
    process.wait()
    return {"value": values[-1], "per_sample": values[:-1]}


def stems(words):
    command = ["java", "-cp", str(FOLDER / "meteor/meteor-1.5.jar"), "Stemmer", "en"]
    found = subprocess.run(command, input="\n".join(words) + "\n", capture_output=True, text=True, check=True)
    return dict(zip(words, found.stdout.split(), strict=True))


def metrics(hypotheses, references):
    results = dict(enumerate([[h] for h in hypotheses]))
    truths = dict(enumerate(references))
    bleu, bleu_per_sample = Bleu(4).compute_score(truths, results, verbose=0)
    rouge, rouge_per_sample = Rouge().compute_score(truths, results)
    cider, cider_per_sample = Cider().compute_score(truths, results)
    found = {f"bleu_{k + 1}": {"value": bleu[k], "per_sample": bleu_per_sample[k]} for k in range(4)}
    found["rouge_l"] = {"value": float(rouge), "per_sample": list(map(float, rouge_per_sample))}
    found["cider_d"] = {"value": float(cider), "per_sample": list(map(float, cider_per_sample))}
    found["meteor_exact_stem"] = meteor(hypotheses, references)
    return found


def ptb_lines(captions):
    # The program's own lines, before the removal of punctuation.
    text = "\n".join(" ".join(caption.split()) or "." for group in captions for caption in group) + "\n"
    jar = FOLDER / "tokenizer/stanford-corenlp-3.4.1.jar"
    command = ["java", "-cp", str(jar), "edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.splitlines()


def ptb_tokens(captions):
    # As the official evaluation calls it. An empty caption would shift the lines that follow.
    texts = {i: [{"caption": " ".join(caption.split()) or "."} for caption in group] for i, group in enumerate(captions)}
    tokens = PTBTokenizer().tokenize(texts)
    return [tokens[i] for i in range(len(captions))]


def audiocaps(path):
    groups = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            groups.setdefault(row["youtube_id"], []).append(simple(row["caption"]))
    found = metrics([group[0] for group in groups.values()], [group[1:] for group in groups.values()])
    return {name: entry["value"] for name, entry in found.items()}


def main():
    simple_captions = [[simple(caption) for caption in group] for group in CAPTIONS]
    tokenized = ptb_tokens(CAPTIONS)
    words = sorted(set(WORDS + [root + suffix for root in ROOTS for suffix in SUFFIXES]))
    golden = {
        "origin": "tools/reference/caption_metrics.py: pycocoevalcap 1.2, METEOR 1.5, Stanford tokenizer 3.4.1",
        "captions": CAPTIONS,
        "ptb_lines": ptb_lines(CAPTIONS),
        "simple": metrics([g[0] for g in simple_captions], [g[1:] for g in simple_captions]),
        "ptb": metrics([g[0] for g in tokenized], [g[1:] for g in tokenized]),
        "stems": stems(words),
    }
    if len(sys.argv) > 1:
        golden["audiocaps_simple"] = audiocaps(sys.argv[1])
    path = Path(__file__).parents[2] / "tests/golden/captions/caption_metrics.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
