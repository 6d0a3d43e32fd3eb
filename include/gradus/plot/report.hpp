// A page of text, tables and figures in one file, with nothing to fetch.
#pragma once

#include <string>
#include <vector>

#include "gradus/plot/figure.hpp"

namespace gradus::plot {

// Everything but `raw` is text and is escaped; each function returns the report.
class Report {
 public:
  explicit Report(const std::string& title);

  // Level 2 is a section, 3 a part of one. Throws for other levels.
  Report& heading(const std::string& text, int level = 2);
  Report& paragraph(const std::string& text);
  Report& figure(const Figure& figure, const std::string& caption = {});
  // Columns of numbers are set flush right. Throws if a row has not as many cells as the header.
  Report& table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows,
                const std::string& caption = {});
  Report& list(const std::vector<std::string>& items);
  Report& preformatted(const std::string& text);
  // Markup of one's own, as it is.
  Report& raw(const std::string& markup);

  std::string html() const;
  // Replaces the file as a whole or, on an error, leaves it as it was. Throws naming the path.
  void save(const std::string& path) const;

 private:
  std::string title_;
  std::string body_;
};

}  // namespace gradus::plot
