// Text as a sequence of characters, and sequences as blocks to learn the next element from.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/data/dataset.hpp"

namespace gradus::data {

// The whole of a text file. Throws if it cannot be read or holds a NUL byte.
std::string read_text(const std::string& path);

// Numbers for the characters (code points of UTF-8) that occur in a text, from 0 in their order.
class CharVocabulary {
 public:
  // Throws unless the text is UTF-8 and not empty. A vocabulary is as good as its characters(): `CharVocabulary(
  // other.characters())` is the same, which is how a model that was saved finds its own again.
  explicit CharVocabulary(std::string_view text);

  std::int64_t size() const { return static_cast<std::int64_t>(letters_.size()); }
  std::string characters() const;

  // "text" -> int64 (number of characters). Throws at a character that is not in the vocabulary.
  Tensor encode(std::string_view text) const;
  // int64 of any shape, read row by row -> text. Throws at an index outside [0, size()).
  std::string decode(const Tensor& indices) const;

 private:
  std::vector<std::string> letters_;
  std::map<char32_t, std::int64_t> numbers_;
};

// The first round(fraction * n) elements of a sequence and the others, in their order: in a shuffled text the held-out
// part would be known from its neighbours. Throws unless both parts get an element.
std::pair<Tensor, Tensor> split_sequence(const Tensor& sequence, double fraction);

// Cuts a sequence (n, ...) into blocks that follow each other: x (count, length, ...), and y the same one element
// later, count = (n - 1) / length; what is left over at the end is left out. Throws if there is no whole block.
Dataset blocks(const Tensor& sequence, std::int64_t length);

// `count` blocks from anywhere in the sequence. Throws as blocks().
Dataset random_blocks(const Tensor& sequence, std::int64_t count, std::int64_t length, Generator* generator = nullptr);

}  // namespace gradus::data
