#include "train/show/example_page.h"

#include <fmt/format.h>

#include "core/markup.h"
#include "media/write_png.h"

namespace vllama::train {
namespace {

std::string heading(const char* tag, const char* text) {
  return fmt::format("<{0}>{1}</{0}>\n", tag, text);
}

std::string embedded(const char* tag, const char* title, const media::Image& image) {
  if (image.rgb.empty()) return {};
  return heading(tag, title) + fmt::format(
                                   "<img alt=\"{}\" width=\"{}\" height=\"{}\" loading=\"lazy\" "
                                   "src=\"data:image/png;base64,{}\">\n",
                                   title, image.width, image.height,
                                   base64(media::encode_png(image)));
}

constexpr const char* kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>)";

constexpr const char* kStyle = R"(</title>
<style>
body { font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em;
  color: #222; background: #fff; }
h1 { font-size: 1.4em; }
h2 { font-size: 1.1em; margin: 1.6em 0 0.5em; }
h4 { font-size: 1em; margin: 1em 0 0.3em; }
h3 { font-size: 1.05em; margin: 2em 0 0.5em; border-top: 1px solid #ddd; padding-top: 0.8em; }
section { margin-top: 3em; border-top: 3px solid #222; }
table { border-collapse: collapse; }
th { text-align: left; font-weight: normal; color: #666; padding: 0 1.5em 0 0;
  vertical-align: top; white-space: nowrap; }
thead th { border-bottom: 1px solid #222; color: #222; }
td { padding: 0 1.5em 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.steps td { white-space: normal; overflow-wrap: normal; }
img { max-width: 100%; height: auto; image-rendering: pixelated; border: 1px solid #ddd; }
.tokens { font-family: monospace; line-height: 1.9; overflow-wrap: anywhere; }
.tokens span, .legend span { white-space: pre-wrap; border-radius: 3px; padding: 2px 1px;
  margin: 0 1px 0 0; min-width: 4px; display: inline-block; min-height: 1.2em;
  vertical-align: bottom; }
.legend span { padding: 0 0.6em; margin-right: 0.6em; }
.target { background: #bfe8c4; color: #0b3d12; }
.ignored { background: #e9e9e9; color: #444; }
.media { background: #dccbf5; color: #35155e; }
.alarm { background: #fbd5d0; color: #7a1408; padding: 0 0.4em; border-radius: 3px; }
</style>
</head>
<body>
)";

}  // namespace

std::string fact_table(std::span<const Fact> facts) {
  std::string html = "<table>\n";
  for (const auto& [name, value] : facts)
    html += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", markup_escaped(name),
                        markup_escaped(value));
  return html + "</table>\n";
}

std::string example_section(const ExampleView& view, const char* heading_tag) {
  std::string html = fact_table(view.facts);
  if (!view.tokens.empty())
    html += heading(heading_tag, "Tokens") +
            "<p class=\"legend\"><span class=\"target\">target</span>"
            "<span class=\"ignored\">ignored</span><span class=\"media\">media</span> "
            "a token's id shows when the pointer rests on it</p>\n<p class=\"tokens\">" +
            token_html(view.tokens) + "</p>\n";
  return html + embedded(heading_tag, "Frames", view.frames) +
         embedded(heading_tag, "Sound", view.sound);
}

std::string html_page(const std::string& title, const std::string& body) {
  return kHead + markup_escaped(title) + kStyle + body + "</body>\n</html>\n";
}

std::string example_html(const ExampleView& view) {
  return html_page("Example", example_section(view, "h2"));
}

}  // namespace vllama::train
