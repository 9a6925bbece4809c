"""Prints the sums that tests/samples/test_resize_image.cpp compares with (Pillow 13.0.0)."""
import numpy as np
from PIL import Image

for width, height in ((20, 24), (20, 25), (12, 17), (40, 33), (24, 16), (16, 24)):
    i = np.arange(width * height * 3, dtype=np.int64)
    image = Image.fromarray((i * i * 31 % 251).astype(np.uint8).reshape(height, width, 3))
    resized = np.array(image.resize((16, 16), Image.BICUBIC)).ravel().astype(np.int64)
    print(width, height, int((resized * np.arange(1, resized.size + 1)).sum()))
