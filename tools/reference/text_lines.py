"""Lines of text in many scripts, with everything that is awkward for a tokenizer: the same for the same seed.

    text_lines.lines(count, seed)
"""
import random

# First and last characters of blocks, by script; unassigned numbers among them are left out.
SCRIPTS = [
    (0x0041, 0x007A), (0x00C0, 0x024F), (0x0370, 0x03FF), (0x0400, 0x052F), (0x0531, 0x0587), (0x05D0, 0x05EA),
    (0x0620, 0x06FF), (0x0710, 0x074A), (0x0780, 0x07B1), (0x0904, 0x097F), (0x0985, 0x09FE), (0x0A05, 0x0A74),
    (0x0B85, 0x0BF9), (0x0C05, 0x0C6F), (0x0E01, 0x0E5B), (0x0E81, 0x0EDF), (0x0F00, 0x0FCF), (0x1000, 0x109F),
    (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x137C), (0x13A0, 0x13F5), (0x1780, 0x17F9), (0x1820, 0x18AA),
    (0x1E00, 0x1EFF), (0x1F00, 0x1FFE), (0x2C00, 0x2C5F), (0x3041, 0x30FF), (0x3105, 0x312F), (0x4E00, 0x9FFF),
    (0xA000, 0xA48C), (0xAC00, 0xD7A3), (0xFB00, 0xFB06), (0xFE70, 0xFEFC), (0xFF01, 0xFFDC), (0x10330, 0x1034A),
    (0x10400, 0x1044F), (0x12000, 0x12399), (0x1D400, 0x1D7FF), (0x20000, 0x2A6DF),
]
NUMBERS = "0123456789\u00b2\u00b3\u00b9\u00bc\u00bd\u0660\u0661\u0669\u06f4\u0967\u096b\u0e51\u2160\u2167\u2460\u2473\u3007\u3021\u4e00\uff11\uff19\U0001d7ce"
SPACES = [" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", " \n", "\n ", "\u00a0", "\u2003", "\u3000", "\u2028", "\u0085", "\x0b", "\x0c", "\u200b", "\u202f", "\ufeff", "\x1c", "\u180e"]
MARKS = "\u0301\u0308\u0327\u0323\u05b4\u064b\u093c\u0e31\u20dd\u3099\ufe0f"
SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\u00a7\u00b6\u2013\u2014\u2026\u20ac\u2122\u2190\u2264\u2605\u3001\u3002\uff0c\ufffd"
PICTURES = ["\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\U0001f44d\U0001f3fd", "\u2764\ufe0f"]
ENDINGS = ["'s", "'S", "'t", "'re", "'RE", "'ve", "'m", "'ll", "'Ll", "'d", "'\u017f", "'", "''", "\u2019s", "'x"]
WORDS = "the of and video shows people on a red boat café naïve Größe señor été Übung assistant user system human".split()
MARKUP = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "</s>", "<s>", "<unk>", "<think>", "</think>", "<|im_start", "|>", "<0x0A>", "\u0120", "\u010a"]


def word(draw):
    first, last = draw.choice(SCRIPTS)
    letters = [chr(draw.randint(first, last)) for _ in range(draw.randint(1, 9))]
    if draw.random() < 0.15:
        letters.insert(draw.randint(1, len(letters)), draw.choice(MARKS))
    return "".join(letters)


def piece(draw):
    kind = draw.random()
    if kind < 0.30:
        return draw.choice(WORDS)
    if kind < 0.55:
        return word(draw)
    if kind < 0.65:
        return "".join(draw.choice(NUMBERS if draw.random() < 0.3 else "0123456789") for _ in range(draw.randint(1, 8)))
    if kind < 0.75:
        return "".join(draw.choice(SIGNS) for _ in range(draw.randint(1, 4)))
    if kind < 0.80:
        return draw.choice(PICTURES)
    if kind < 0.87:
        return draw.choice(WORDS) + draw.choice(ENDINGS)
    if kind < 0.90:
        return chr(draw.choice([draw.randint(1, 31), draw.randint(0x7F, 0x9F), draw.randint(0xE000, 0xE0FF), draw.randint(0x1F000, 0x1FAFF)]))
    if kind < 0.93:
        return draw.choice(MARKUP)
    return draw.choice(SPACES)


def lines(count, seed):
    draw = random.Random(seed)
    for _ in range(count):
        pieces = []
        for _ in range(draw.randint(0, 12)):
            pieces.append(piece(draw))
            if draw.random() < 0.7:
                pieces.append(draw.choice(SPACES) if draw.random() < 0.25 else " ")
        yield "".join(pieces)
