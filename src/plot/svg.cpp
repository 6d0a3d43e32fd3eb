#include "plot/svg.hpp"

#include <algorithm>
#include <cstddef>

#include "storage/format.hpp"

namespace gradus::plot {

std::string px(double value) {
  // What lies far outside is cut off anyway, and renderers compute in floats.
  const double tenths = std::round(std::clamp(value, -1e5, 1e5) * 10);
  if (tenths == 0) return "0";
  std::string text = formatted("{:.1f}", tenths / 10);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

namespace {

// The length of the character that the text begins with; 0 if its first byte begins none. [RFC 3629]
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Too long a form, half a character of UTF-16, and beyond the last character.
  const unsigned second = byte(1);
  const bool is_wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return is_wrong ? 0 : length;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (std::size_t at = 0, length = 1; at < text.size(); at += std::max<std::size_t>(1, length)) {
    const char c = text[at];
    length = character_length(text.substr(at));
    if (length == 0)
      result += "\ufffd";  // no parser would read on
    else if (length > 1)
      result += text.substr(at, length);
    else if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
      result += ' ';  // XML has no other control characters
    else
      result += c;
  }
  return result;
}

double text_width(std::string_view text, double font_size) {
  double ems = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xc0) == 0x80) continue;  // a later byte of a character
    if (std::string_view("ijlft.,:;|!'()[] ").find(c) != std::string_view::npos)
      ems += 0.35;
    else if (std::string_view("mwMW@%").find(c) != std::string_view::npos)
      ems += 0.95;
    else
      ems += 0.62;
  }
  return ems * font_size;
}

void append_path(std::string& out, const std::vector<Point>& points, bool closed) {
  char before = 'M';
  for (const Point& point : points) {
    out += before;
    out += px(point.x) + ' ' + px(point.y);
    before = ' ';
  }
  if (points.size() == 1) out += "h0";
  if (closed) out += 'Z';
}

std::vector<Point> simplified(const std::vector<Point>& points, double tolerance) {
  if (points.size() < 3) return points;
  // Douglas and Peucker's, with a list of stretches in place of recursion.
  std::vector<char> kept(points.size(), 0);
  kept.front() = kept.back() = 1;
  std::vector<std::pair<std::size_t, std::size_t>> stretches{{0, points.size() - 1}};
  while (!stretches.empty()) {
    const auto [first, last] = stretches.back();
    stretches.pop_back();
    const Point a = points[first], b = points[last];
    const double length = std::hypot(b.x - a.x, b.y - a.y);
    std::size_t farthest = first;
    double most = tolerance;
    for (std::size_t i = first + 1; i < last; ++i) {
      const Point p = points[i];
      const double distance = length > 0 ? std::abs((p.x - a.x) * (b.y - a.y) - (p.y - a.y) * (b.x - a.x)) / length
                                         : std::hypot(p.x - a.x, p.y - a.y);
      if (distance > most) most = distance, farthest = i;
    }
    if (farthest == first) continue;
    kept[farthest] = 1;
    stretches.emplace_back(first, farthest);
    stretches.emplace_back(farthest, last);
  }
  std::vector<Point> result;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (kept[i]) result.push_back(points[i]);
  }
  return result;
}

namespace {

std::vector<Point> thinned_by_column(const std::vector<Point>& points) {
  std::vector<Point> result{points.front()};
  for (std::size_t begin = 0, end; begin < points.size(); begin = end) {
    const double column = std::floor(points[begin].x);
    std::size_t low = begin, high = begin;
    for (end = begin; end < points.size() && std::floor(points[end].x) == column; ++end) {
      if (points[end].y < points[low].y) low = end;
      if (points[end].y > points[high].y) high = end;
    }
    for (const std::size_t i : {std::min(low, high), std::max(low, high)}) {
      if (i > begin || begin > 0) result.push_back(points[i]);
      if (low == high) break;
    }
  }
  result.push_back(points.back());
  return result;
}

}  // namespace

std::vector<Point> thinned(const std::vector<Point>& points) {
  if (points.size() < 100) return points;
  const bool rising = std::is_sorted(points.begin(), points.end(), [](Point a, Point b) { return a.x < b.x; });
  if (rising) {
    const double columns = points.back().x - points.front().x + 1;
    return static_cast<double>(points.size()) > 2 * columns ? thinned_by_column(points) : points;
  }
  std::vector<Point> result;
  for (const Point& p : points) {
    if (result.empty() || std::hypot(p.x - result.back().x, p.y - result.back().y) >= 0.25) result.push_back(p);
  }
  return result;
}

int palette_index(std::string_view color) {
  const bool numbered = color.size() == 2 && color[0] == 'C' && color[1] >= '0' && color[1] <= '7';
  return numbered ? color[1] - '0' : -1;
}

std::string painted(std::string_view classes, Paint paint, std::string_view color) {
  const bool strokes = paint == Paint::stroke;
  const char kind = strokes ? 's' : 'f';
  if (const int index = palette_index(color); index >= 0) return formatted(" class=\"{} {}{}\"", classes, kind, index);
  if (color.size() == 2 && color[0] == 'V' && color[1] >= '0' && color[1] <= '9')
    return formatted(" class=\"{} v{}\"", classes, color[1]);
  if (color == "ink" || color == "muted") return formatted(" class=\"{} {}-{}\"", classes, kind, color);
  return formatted(" class=\"{}\" {}=\"{}\"", classes, strokes ? "stroke" : "fill", escaped(color));
}

}  // namespace gradus::plot
