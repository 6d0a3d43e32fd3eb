#include "gradus/nn/module_list.hpp"

#include <algorithm>

#include "storage/format.hpp"

namespace gradus::nn {
namespace {

void check_key(const std::string& key) {
  if (key.empty()) fail("ModuleDict: a key is empty");
  if (key.find('.') != std::string::npos) fail("ModuleDict: a key cannot have a dot: {}", key);
}

auto find(auto& items, const std::string& key) { return std::ranges::find(items, key, &ModuleDict::Item::first); }

}  // namespace

ModuleList& ModuleList::append(AnyModule module) {
  modules_.push_back(std::move(module));
  return *this;
}

ModuleList& ModuleList::extend(const ModuleList& modules) {
  const std::vector<AnyModule> copies = modules.modules_;  // `modules` may be this list
  modules_.insert(modules_.end(), copies.begin(), copies.end());
  return *this;
}

void ModuleList::insert(std::int64_t index, AnyModule module) {
  if (index < -size() || index > size()) fail("ModuleList: index {} is out of range for {} modules", index, size());
  modules_.insert(modules_.begin() + (index < 0 ? index + size() : index), std::move(module));
}

Module& ModuleList::operator[](std::int64_t index) const {
  if (index < -size() || index >= size()) fail("ModuleList: index {} is out of range for {} modules", index, size());
  return *modules_[static_cast<std::size_t>(index < 0 ? index + size() : index)];
}

void ModuleList::visit_members(MemberVisitor& visitor, const MemberPath& path) {
  detail::visit_member(visitor, path, modules_);
}

ModuleDict::ModuleDict(std::initializer_list<Item> modules) {
  for (const auto& [key, module] : modules) {
    if (contains(key)) fail("ModuleDict: the key {} comes twice", key);
    insert(key, module);
  }
}

void ModuleDict::insert(const std::string& key, AnyModule module) {
  check_key(key);
  if (const auto found = find(items_, key); found != items_.end())
    found->second = std::move(module);
  else
    items_.emplace_back(key, std::move(module));
}

AnyModule ModuleDict::pop(const std::string& key) {
  (*this)[key];  // throws if there is none
  const auto found = find(items_, key);
  AnyModule module = std::move(found->second);
  items_.erase(found);
  return module;
}

bool ModuleDict::contains(const std::string& key) const { return find(items_, key) != items_.end(); }

Module& ModuleDict::operator[](const std::string& key) const {
  const auto found = find(items_, key);
  if (found == items_.end()) fail("ModuleDict: there is no {} among the keys: {}", key, comma_separated(keys()));
  return *found->second;
}

std::vector<std::string> ModuleDict::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, module] : items_) keys.push_back(key);
  return keys;
}

void ModuleDict::visit_members(MemberVisitor& visitor, const MemberPath& path) {
  for (auto& [key, module] : items_) visitor.module(MemberPath{&path, key}, *module);
}

}  // namespace gradus::nn
