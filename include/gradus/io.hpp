// Tensors in files: the safetensors format, which PyTorch and others read and write, and files of torch.save.
#pragma once

#include <map>
#include <string>

#include "gradus/tensor.hpp"

namespace gradus {

struct SaveOptions {
  std::map<std::string, std::string> metadata = {};  // any texts of one's own
};

// Writes named tensors, such as a state_dict(), as a safetensors file. What was at `path` stays until all is written;
// a symbolic link there is replaced, not followed.
// Throws if a tensor is undefined, a name is not UTF-8 or "__metadata__", or the file cannot be written.
void save(const std::map<std::string, Tensor>& tensors, const std::string& path, const SaveOptions& options = {});

// Reads what save(), or another program, has written. Throws unless every byte of the file belongs to the format and to
// exactly one tensor, all of them float32, float64, int64 or bool: a file that comes from elsewhere can't do harm.
std::map<std::string, Tensor> load(const std::string& path);

// Reads a file of torch.save(model.state_dict(), path): plain tensors by name. Nothing in it is executed, and a file
// that needs anything else than tensors is refused. float16 and bfloat16 become float32, smaller integers int64;
// tensors that shared memory, or were views with strides of their own, still are. Throws unless every length and offset
// is right.
std::map<std::string, Tensor> load_pt(const std::string& path);

// The texts that were saved with the tensors.
std::map<std::string, std::string> load_metadata(const std::string& path);

}  // namespace gradus
