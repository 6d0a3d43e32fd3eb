// TensorBoard's event files: records of TensorFlow's framing, each an Event in protocol buffers' encoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gradus/train/history.hpp"

namespace gradus::train {

// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
std::uint32_t crc32c(std::string_view bytes);

// length (8 bytes), masked CRC of these, data, masked CRC of the data; little-endian.
std::string tf_record(std::string_view data);

// How many of the first bytes are whole records whose CRCs are right.
std::size_t whole_tf_records(std::string_view bytes);

// The Event that begins each file.
std::string version_event(double wall_time);
// An Event with one scalar per name.
std::string scalar_event(double wall_time, std::int64_t step, std::span<const NamedValue> scalars);

}  // namespace gradus::train
