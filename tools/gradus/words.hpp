// What users type: names, lists and numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::tool {

std::vector<std::string> split(std::string_view text, char delimiter);
std::string join(const std::vector<std::string>& words, std::string_view between = ", ");

// The whole text as a number. They throw "<what>: not a number: <text>", or "... not a whole number: ...".
double to_number(const std::string& what, const std::string& text);
std::int64_t to_whole_number(const std::string& what, const std::string& text);

// "train: there is no optimizer 'adma'; known are adam, adamw, sgd": those that look most like it come first.
[[noreturn]] void refuse_unknown(const std::string& what, const std::string& name, std::vector<std::string> known);
// Throws so unless the name is among those that are known.
void check_known(const std::string& what, const std::string& name, const std::vector<std::string>& known);

// Without what a terminal would take for a command: names may come from files of others.
std::string printable(std::string_view text);

// How many bytes from the beginning are UTF-8: all, if it is.
std::size_t utf8_length(std::string_view text);

}  // namespace gradus::tool
