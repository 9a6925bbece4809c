#include "train/show/picture.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"

namespace vllama::train {
namespace {

constexpr Colour kPaper{255, 255, 255}, kInk{32, 32, 32};
constexpr std::int64_t kMargin = 4;
constexpr std::int64_t kGlyphWidth = 5, kGlyphHeight = 7, kGlyphAdvance = 6;

struct Glyph {
  char character;
  std::array<std::uint8_t, kGlyphHeight> rows;  // the upper bit of five is the leftmost pixel
};

constexpr std::array kGlyphs = {
    Glyph{'0', {0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110}},
    Glyph{'1', {0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110}},
    Glyph{'2', {0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111}},
    Glyph{'3', {0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110}},
    Glyph{'4', {0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010}},
    Glyph{'5', {0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110}},
    Glyph{'6', {0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110}},
    Glyph{'7', {0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000}},
    Glyph{'8', {0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110}},
    Glyph{'9', {0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100}},
    Glyph{'#', {0b01010, 0b01010, 0b11111, 0b01010, 0b11111, 0b01010, 0b01010}},
    Glyph{':', {0b00000, 0b00100, 0b00100, 0b00000, 0b00100, 0b00100, 0b00000}},
    Glyph{'.', {0b00000, 0b00000, 0b00000, 0b00000, 0b00000, 0b01100, 0b01100}},
    Glyph{'s', {0b00000, 0b00000, 0b01111, 0b10000, 0b01110, 0b00001, 0b11110}},
};

std::uint8_t* pixel(media::Image& image, std::int64_t x, std::int64_t y) {
  return image.rgb.data() + (y * image.width + x) * 3;
}

void fill(media::Image& image, std::int64_t x, std::int64_t y, std::int64_t size, Colour colour) {
  for (std::int64_t dy = 0; dy < size; ++dy)
    for (std::int64_t dx = 0; dx < size; ++dx)
      std::ranges::copy(colour, pixel(image, x + dx, y + dy));
}

std::int64_t text_width(std::string_view text, std::int64_t scale) {
  return static_cast<std::int64_t>(text.size()) * kGlyphAdvance * scale;
}

// Characters without a glyph leave a gap.
void write(media::Image& image, std::int64_t x, std::int64_t y, std::string_view text,
           std::int64_t scale) {
  for (const char character : text) {
    const auto glyph = std::ranges::find(kGlyphs, character, &Glyph::character);
    for (std::int64_t row = 0; row < kGlyphHeight && glyph != kGlyphs.end(); ++row)
      for (std::int64_t column = 0; column < kGlyphWidth; ++column)
        if ((glyph->rows[static_cast<std::size_t>(row)] >> (kGlyphWidth - 1 - column) & 1) != 0)
          fill(image, x + column * scale, y + row * scale, scale, kInk);
    x += kGlyphAdvance * scale;
  }
}

// Up to four in a row; of more, about twice as many columns as rows, with few places left empty.
std::int64_t columns_for(std::int64_t count) {
  if (count <= 4) return count;
  const auto root = [](std::int64_t value) {
    return static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(value))));
  };
  const auto num_empty = [count](std::int64_t columns) {
    return (count + columns - 1) / columns * columns - count;
  };
  std::int64_t best = root(2 * count);
  for (std::int64_t columns = best; columns >= root(count); --columns)
    if (num_empty(columns) < num_empty(best)) best = columns;
  return best;
}

// Anchors of matplotlib's viridis, evenly spaced.
constexpr std::array<Colour, 9> kViridis = {{{68, 1, 84},
                                             {71, 44, 122},
                                             {59, 81, 139},
                                             {44, 113, 142},
                                             {33, 144, 141},
                                             {39, 173, 129},
                                             {92, 200, 99},
                                             {170, 220, 50},
                                             {253, 231, 37}}};

Colour viridis(double share) {
  const double place = std::clamp(share, 0.0, 1.0) * (kViridis.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), kViridis.size() - 2);
  const double part = place - static_cast<double>(below);
  Colour colour;
  for (std::size_t i = 0; i < colour.size(); ++i)
    colour[i] = static_cast<std::uint8_t>(
        std::lround((1 - part) * kViridis[below][i] + part * kViridis[below + 1][i]));
  return colour;
}

}  // namespace

media::Image blank(media::FrameSize size, Colour colour) {
  media::Image image{size.width, size.height, {}};
  image.rgb.resize(static_cast<std::size_t>(size.width * size.height * 3));
  for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = colour[i % 3];
  return image;
}

void paste(const media::Image& picture, std::int64_t x, std::int64_t y, media::Image& onto) {
  VLLAMA_ASSERT(
      x >= 0 && y >= 0 && x + picture.width <= onto.width && y + picture.height <= onto.height,
      "a pasted picture fits");
  for (std::int64_t row = 0; row < picture.height; ++row)
    std::memcpy(pixel(onto, x, y + row), picture.rgb.data() + row * picture.width * 3,
                static_cast<std::size_t>(picture.width) * 3);
}

media::Image contact_sheet(std::span<const LabelledPicture> pictures) {
  VLLAMA_ASSERT(!pictures.empty(), "a contact sheet has pictures");
  constexpr std::int64_t kLargeCell = 160;  // from which labels are drawn twice as large
  std::int64_t width = 0, height = 0;
  for (const auto& [picture, label] : pictures) {
    width = std::max(width, picture.width);
    height = std::max(height, picture.height);
  }
  const std::int64_t scale = width >= kLargeCell ? 2 : 1;
  for (const auto& [picture, label] : pictures) width = std::max(width, text_width(label, scale));
  const std::int64_t cell_width = width + kMargin;
  const std::int64_t cell_height = height + (kGlyphHeight * scale) + 3 * kMargin;
  const auto count = static_cast<std::int64_t>(pictures.size());
  const std::int64_t columns = columns_for(count), rows = (count + columns - 1) / columns;
  media::Image sheet = blank({columns * cell_width + kMargin, rows * cell_height}, kPaper);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto& [picture, label] = pictures[static_cast<std::size_t>(i)];
    const std::int64_t x = kMargin + i % columns * cell_width;
    const std::int64_t y = kMargin + i / columns * cell_height;
    paste(picture, x, y, sheet);
    write(sheet, x, y + height + kMargin, label, scale);
  }
  return sheet;
}

media::Image spectrogram(std::span<const float> values, std::int64_t num_bins,
                         std::pair<float, float> low_and_high, std::int64_t pixels) {
  const auto num_frames = static_cast<std::int64_t>(values.size()) / num_bins;
  const auto [low, high] = low_and_high;
  media::Image image = blank({num_frames * pixels, num_bins * pixels}, kPaper);
  for (std::int64_t bin = 0; bin < num_bins; ++bin)
    for (std::int64_t frame = 0; frame < num_frames; ++frame) {
      const float value = values[static_cast<std::size_t>(bin * num_frames + frame)];
      const double share = high > low ? (value - low) / (high - low) : 0;
      fill(image, frame * pixels, (num_bins - 1 - bin) * pixels, pixels, viridis(share));
    }
  return image;
}

}  // namespace vllama::train
