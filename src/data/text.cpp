#include "gradus/data/text.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "data/file.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::data {
namespace {

struct Letter {
  char32_t code;
  std::string_view bytes;
};

// The character at the beginning of `text`; nothing unless it is UTF-8 in its shortest form (RFC 3629).
std::optional<Letter> first_letter(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xC2 && lead < 0xE0 ? 2 : (lead & 0xF0) == 0xE0 ? 3 : 4;
  if ((lead >= 0x80 && lead < 0xC2) || lead >= 0xF5 || text.size() < length) return std::nullopt;
  char32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return std::nullopt;
    code = (code << 6) | (byte(i) & 0x3F);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  if (code < least[length] || surrogate || code > 0x10FFFF) return std::nullopt;
  return Letter{code, text.substr(0, length)};
}

template <class F>
void for_each_letter(const char* op, std::string_view text, const F& visit) {
  for (std::size_t position = 0; position < text.size();) {
    const auto letter = first_letter(text.substr(position));
    if (!letter) fail("{}: the text is not UTF-8 at byte {}", op, position);
    visit(*letter, position);
    position += letter->bytes.size();
  }
}

void check_blocks(const char* op, const Tensor& sequence, std::int64_t length) {
  if (length < 1) fail("{}: the length must be positive: {}", op, length);
  if (sequence.dim() == 0 || sequence.size(0) <= length)
    fail("{}: a block of {} and its next element don't fit into {}", op, length, sequence.shape());
}

// (count * length, ...) -> (count, length, ...)
Tensor in_blocks(const Tensor& elements, std::int64_t length) {
  Shape shape = elements.shape();
  shape[0] /= length;
  shape.insert(1, length);
  return elements.reshape(shape);
}

}  // namespace

std::string read_text(const std::string& path) { return read_text_file("read_text: " + path, path); }

CharVocabulary::CharVocabulary(std::string_view text) {
  if (text.empty()) fail("CharVocabulary: the text is empty");
  std::map<char32_t, std::string> letters;
  for_each_letter("CharVocabulary", text,
                  [&](const Letter& letter, std::size_t) { letters.try_emplace(letter.code, letter.bytes); });
  for (auto& [code, bytes] : letters) {
    numbers_[code] = size();
    letters_.push_back(std::move(bytes));
  }
}

std::string CharVocabulary::characters() const {
  std::string text;
  for (const std::string& letter : letters_) text += letter;
  return text;
}

Tensor CharVocabulary::encode(std::string_view text) const {
  std::vector<std::int64_t> indices;
  indices.reserve(text.size());
  for_each_letter("encode", text, [&](const Letter& letter, std::size_t position) {
    const auto found = numbers_.find(letter.code);
    if (found == numbers_.end()) {
      fail("encode: U+{:04X} at byte {} is not among the {} characters of the vocabulary",
           static_cast<std::uint32_t>(letter.code), position, size());
    }
    indices.push_back(found->second);
  });
  return tensor(indices, {.dtype = int64});
}

std::string CharVocabulary::decode(const Tensor& indices) const {
  if (indices.dtype() != int64) fail("decode: indices must be int64, got {}", indices.dtype());
  std::string text;
  const Tensor in_a_row = indices.contiguous();
  for (const std::int64_t index : in_a_row.data<std::int64_t>()) {
    if (index < 0 || index >= size()) fail("decode: index {} is outside [0, {})", index, size());
    text += letters_[static_cast<std::size_t>(index)];
  }
  return text;
}

std::pair<Tensor, Tensor> split_sequence(const Tensor& sequence, double fraction) {
  if (!(fraction > 0 && fraction < 1)) fail("split_sequence: the fraction must be between 0 and 1: {}", fraction);
  const std::int64_t n = sequence.dim() == 0 ? 0 : sequence.size(0);
  const auto first = static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(n)));
  if (first == 0 || first == n) {
    fail("split_sequence: a part would be empty: fraction {} of {}", fraction, sequence.shape());
  }
  return {sequence.narrow(0, 0, first), sequence.narrow(0, first, n - first)};
}

Dataset blocks(const Tensor& sequence, std::int64_t length) {
  check_blocks("blocks", sequence, length);
  NoGrad guard;
  const std::int64_t used = (sequence.size(0) - 1) / length * length;
  return {in_blocks(sequence.narrow(0, 0, used).clone(), length),
          in_blocks(sequence.narrow(0, 1, used).clone(), length)};
}

Dataset random_blocks(const Tensor& sequence, std::int64_t count, std::int64_t length, Generator* generator) {
  check_blocks("random_blocks", sequence, length);
  if (count < 1) fail("random_blocks: the number of blocks must be positive: {}", count);
  NoGrad guard;
  const Tensor starts = randint(0, sequence.size(0) - length, {count, 1}, {.generator = generator});
  const Tensor places = (starts + arange(static_cast<double>(length), {.dtype = int64})).flatten();
  return {in_blocks(index_select(sequence, 0, places), length),
          in_blocks(index_select(sequence, 0, places + 1), length)};
}

}  // namespace gradus::data
