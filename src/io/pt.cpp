// Files of torch.save: a zip file with a pickle, data.pkl, that tells of tensors, and an entry data/<key> for each
// storage.
#include <bit>
#include <cstring>
#include <map>
#include <string_view>

#include "gradus/io.hpp"
#include "io/header.hpp"
#include "io/pickle.hpp"
#include "io/zip.hpp"
#include "tensor/impl.hpp"

namespace gradus {
namespace {

using safetensors::quoted;
using torch_file::Element;
using torch_file::TensorRecord;

std::size_t size_of(Element element) {
  switch (element) {
    case Element::uint8:
    case Element::int8:
    case Element::boolean:
      return 1;
    case Element::float16:
    case Element::bfloat16:
    case Element::int16:
      return 2;
    case Element::float32:
    case Element::int32:
      return 4;
    case Element::float64:
    case Element::int64:
      break;
  }
  return 8;
}

// What a storage becomes: the smallest dtype here that holds all its values exactly.
Dtype dtype_for(Element element) {
  switch (element) {
    case Element::float16:
    case Element::bfloat16:
    case Element::float32:
      return float32;
    case Element::float64:
      return float64;
    case Element::boolean:
      return boolean;
    default:
      return int64;
  }
}

float from_bfloat16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

// IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction.
float from_float16(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000) << 16, exponent = bits >> 10 & 0x1f,
                      fraction = bits & 0x3ff;
  if (exponent == 0) {  // a multiple of 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

template <class From, class To, class Convert>
void convert(const std::string& bytes, To* target, const Convert& value_of) {
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(From), ++target) {
    From value;
    std::memcpy(&value, bytes.data() + at, sizeof(From));
    *target = static_cast<To>(value_of(value));
  }
}

class TorchFile {
 public:
  explicit TorchFile(const std::string& path) : where_("load_pt: " + path), zip_("load_pt", path) {}

  std::map<std::string, Tensor> tensors() {
    const ZipFile::Entry& pickle = find_pickle();
    check_byte_order();
    const std::string text = zip_.text(pickle);
    std::map<std::string, Tensor> result;
    for (const TensorRecord& record : torch_file::read_state_dict(where_, text)) {
      const Tensor storage = storage_of(record);
      result.emplace(record.name, part_of(storage, record));
    }
    return result;
  }

 private:
  // All entries are in one folder, named by whoever saved.
  const ZipFile::Entry& find_pickle() {
    constexpr std::string_view name = "/data.pkl";
    for (const ZipFile::Entry& entry : zip_.entries()) {
      const std::size_t slash = entry.name.find('/');
      if (slash == entry.name.npos || std::string_view(entry.name).substr(slash) != name) continue;
      folder_ = entry.name.substr(0, slash + 1);
      return entry;
    }
    fail("{}: has no data.pkl: torch.save has not written it", where_);
  }

  void check_byte_order() {
    const ZipFile::Entry* const entry = zip_.find(folder_ + "byteorder");
    if (entry == nullptr) return;
    if (const std::string order = zip_.text(*entry); order != "little") {
      fail("{}: its byte order is {}, only little is read", where_, quoted(order));
    }
  }

  // One tensor for all that share the storage: they go on sharing it.
  const Tensor& storage_of(const TensorRecord& record) {
    const auto known = storages_.find(record.storage);
    if (known == storages_.end())
      return storages_.emplace(record.storage, Storage{record.element, read(record)}).first->second.data;
    if (known->second.element != record.element || known->second.data.numel() != record.storage_size) {
      fail("{}: {} sees its storage as another type or size than others do", where_, quoted(record.name));
    }
    return known->second.data;
  }

  Tensor read(const TensorRecord& record) {
    const ZipFile::Entry* const entry = zip_.find(folder_ + "data/" + record.storage);
    if (entry == nullptr)
      fail("{}: the storage {} of {} is missing", where_, quoted(record.storage), quoted(record.name));
    const std::size_t item = size_of(record.element);
    if (entry->size % item != 0 || entry->size / item != static_cast<std::uint64_t>(record.storage_size)) {
      fail("{}: the storage of {} has {} bytes, {} elements of {} bytes are needed", where_, quoted(record.name),
           entry->size, record.storage_size, item);
    }
    Tensor data = make_tensor({record.storage_size}, dtype_for(record.element));
    if (item == gradus::size_of(data.dtype()) && record.element != Element::boolean) {
      dispatch(data.dtype(), [&]<class T>() { zip_.read(*entry, data_of<T>(data)); });
    } else {
      convert_into(data, record, zip_.text(*entry));
    }
    return data;
  }

  void convert_into(const Tensor& data, const TensorRecord& record, const std::string& bytes) {
    const auto same = [](auto value) { return value; };
    switch (record.element) {
      case Element::float16:
        return convert<std::uint16_t>(bytes, data_of<float>(data), from_float16);
      case Element::bfloat16:
        return convert<std::uint16_t>(bytes, data_of<float>(data), from_bfloat16);
      case Element::uint8:
        return convert<std::uint8_t>(bytes, data_of<std::int64_t>(data), same);
      case Element::int8:
        return convert<std::int8_t>(bytes, data_of<std::int64_t>(data), same);
      case Element::int16:
        return convert<std::int16_t>(bytes, data_of<std::int64_t>(data), same);
      case Element::int32:
        return convert<std::int32_t>(bytes, data_of<std::int64_t>(data), same);
      default:
        return convert<std::uint8_t>(bytes, data_of<bool>(data), [&](std::uint8_t value) {
          if (value > 1) fail("{}: {} has a bool that is neither 0 nor 1 but {}", where_, quoted(record.name), value);
          return value == 1;
        });
    }
  }

  static Tensor part_of(const Tensor& storage, const TensorRecord& record) {
    Tensor tensor = make_view(storage, Shape(record.sizes), Shape(record.strides), record.offset);
    impl(tensor).is_view = false;  // it has no history that could go stale
    return tensor;
  }

  struct Storage {
    Element element;
    Tensor data;
  };

  std::string where_;
  ZipFile zip_;
  std::string folder_;
  std::map<std::string, Storage> storages_;
};

}  // namespace

std::map<std::string, Tensor> load_pt(const std::string& path) { return TorchFile(path).tensors(); }

}  // namespace gradus
