#include "gradus/plot/report.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include "gradus/error.hpp"
#include "plot/page_style.hpp"
#include "plot/style.hpp"
#include "plot/svg.hpp"
#include "storage/atomic_file.hpp"
#include "storage/format.hpp"

namespace gradus::plot {
namespace {

// "12", "-0.5", "97.2 %", "1e-3", "3 ms", "nan"; or nothing.
bool is_number(const std::string& cell) {
  if (cell.empty()) return true;
  char* end = nullptr;
  std::strtod(cell.c_str(), &end);
  return end != cell.c_str() && std::string_view(end).size() <= 3;
}

void append_cell(std::string& out, const char* tag, const std::string& text, bool is_numeric) {
  append(out, "<{0}{1}>{2}</{0}>", tag, is_numeric ? " class=\"number\"" : "", escaped(text));
}

}  // namespace

Report::Report(const std::string& title) : title_(title) {}

Report& Report::heading(const std::string& text, int level) {
  if (level < 2 || level > 3) throw Error(formatted("heading: level must be 2 or 3: {}", level));
  append(body_, "<h{0}>{1}</h{0}>\n", level, escaped(text));
  return *this;
}

Report& Report::paragraph(const std::string& text) {
  append(body_, "<p>{}</p>\n", escaped(text));
  return *this;
}

Report& Report::figure(const Figure& figure, const std::string& caption) {
  body_ += "<figure>\n" + figure.body();
  if (!caption.empty()) append(body_, "<figcaption>{}</figcaption>\n", escaped(caption));
  body_ += "</figure>\n";
  return *this;
}

Report& Report::table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows,
                      const std::string& caption) {
  std::vector<bool> numeric(header.size(), !rows.empty());
  for (const auto& row : rows) {
    if (row.size() != header.size())
      throw Error(
          formatted("table: a row must have as many cells as the header: {} and {}", row.size(), header.size()));
    for (std::size_t i = 0; i < row.size(); ++i) numeric[i] = numeric[i] && is_number(row[i]);
  }
  body_ += "<div class=\"table\"><table>\n";
  if (!caption.empty()) append(body_, "<caption>{}</caption>\n", escaped(caption));
  body_ += "<thead><tr>";
  for (std::size_t i = 0; i < header.size(); ++i) append_cell(body_, "th", header[i], numeric[i]);
  body_ += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows) {
    body_ += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) append_cell(body_, "td", row[i], numeric[i]);
    body_ += "</tr>\n";
  }
  body_ += "</tbody></table></div>\n";
  return *this;
}

Report& Report::list(const std::vector<std::string>& items) {
  body_ += "<ul>\n";
  for (const std::string& item : items) append(body_, "<li>{}</li>\n", escaped(item));
  body_ += "</ul>\n";
  return *this;
}

Report& Report::preformatted(const std::string& text) {
  append(body_, "<pre>{}</pre>\n", escaped(text));
  return *this;
}

Report& Report::raw(const std::string& markup) {
  body_ += markup;
  return *this;
}

std::string Report::html() const {
  const std::string title = escaped(title_);
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  page += "<meta name=\"color-scheme\" content=\"light dark\">\n";
  // An icon of its own, or browsers ask a server for one.
  append(page, "<link rel=\"icon\" href=\"data:,\">\n<title>{}</title>\n", title);
  page += page_style;
  page += figure_style;
  append(page, "</head>\n<body>\n<main>\n<h1>{}</h1>\n", title);
  return page + body_ + "</main>\n</body>\n</html>\n";
}

void Report::save(const std::string& path) const { write_atomically("save", path, html()); }

}  // namespace gradus::plot
