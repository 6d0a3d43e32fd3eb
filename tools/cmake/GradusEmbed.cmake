# Text files as std::string_view constants of a library, so that they can be written, read and checked as what they are.
#
# gradus_embed(gradus gradus::train page_script src/train/landscape/page.js) adds a source that defines page_script, for
# a header that declares it: `extern const std::string_view page_script;`.
function(gradus_embed target namespace name file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${file})
  file(READ ${PROJECT_SOURCE_DIR}/${file} text)
  set(source ${PROJECT_BINARY_DIR}/embedded/${name}.cpp)
  set(begin "#include <string_view>\nnamespace ${namespace} {\nextern const std::string_view ${name};\n")
  string(CONCAT content "${begin}" "const std::string_view ${name} = R\"embedded(" "${text}" ")embedded\";\n}\n")
  file(CONFIGURE OUTPUT ${source} CONTENT "@content@" @ONLY)
  target_sources(${target} PRIVATE ${source})
endfunction()
