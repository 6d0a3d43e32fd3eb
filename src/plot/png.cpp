#include "plot/png.hpp"

#include <zlib.h>

#include <cmath>
#include <cstddef>
#include <string_view>

#include "gradus/error.hpp"
#include "plot/svg.hpp"
#include "storage/format.hpp"

namespace gradus::plot {
namespace {

std::string big_endian(std::size_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

std::string chunk(std::string_view type, std::string_view content) {
  const std::string body = std::string(type) + std::string(content);
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(content.size()) + body + big_endian(sum);
}

// [Portable Network Graphics, W3C 2003]: every row begins with the number of its filter, 0 for none.
std::string png(const std::vector<std::uint8_t>& rgba, std::size_t height, std::size_t width) {
  std::string rows;
  for (std::size_t i = 0; i < height; ++i) {
    rows += '\0';
    rows.append(reinterpret_cast<const char*>(rgba.data()) + 4 * width * i, 4 * width);
  }
  uLongf size = compressBound(static_cast<uLong>(rows.size()));
  std::string packed(size, '\0');
  const int status = compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                               reinterpret_cast<const Bytef*>(rows.data()), static_cast<uLong>(rows.size()), 9);
  if (status != Z_OK) throw Error(formatted("image: zlib cannot compress {} bytes: {}", rows.size(), status));
  packed.resize(size);
  using namespace std::string_literals;
  const std::string header =
      big_endian(width) + big_endian(height) + "\x08\x06\0\0\0"s;  // 8 bits, red green blue alpha
  return "\x89PNG\r\n\x1a\n"s + chunk("IHDR", header) + chunk("IDAT", packed) + chunk("IEND", "");
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? digits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

}  // namespace

std::string pixel_image(const std::vector<std::uint8_t>& rgba, std::size_t height, std::size_t width, double x,
                        double y, double drawn_width, double drawn_height) {
  if (!std::isfinite(x + y + drawn_width + drawn_height)) return {};  // on log axes that cannot show zero
  return formatted(
      "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" "
      "style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>\n",
      px(x), px(y), px(drawn_width), px(drawn_height), base64(png(rgba, height, width)));
}

}  // namespace gradus::plot
