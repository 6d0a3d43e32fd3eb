// gradus completion: scripts for shells, made from the program's own commands and options, so that they can't go stale.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>
#include <CLI/CLI.hpp>

#include <gradus/problems.hpp>

#include "gradus/commands.hpp"
#include "gradus/data_spec.hpp"
#include "gradus/model_spec.hpp"
#include "gradus/optimizer_spec.hpp"
#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

struct OptionWords {
  std::vector<std::string> names;  // with their dashes
  std::string help;
  std::vector<std::string> values;  // what may follow, if that is known
  bool takes_value = false;
};

struct CommandWords {
  std::vector<std::string> path;  // {"data", "fetch"}; none for the program itself
  std::string help;
  std::vector<OptionWords> options;
  std::vector<std::string> next;  // subcommands, or what may be the first argument
};

std::vector<std::string> names_of_surfaces(bool drawn) {
  std::vector<std::string> names;
  for (const problems::Problem& problem : problems::all()) {
    const bool is_word = problem.name.find_first_of(" ()") == std::string::npos;
    if (is_word && (!drawn || (problem.dimension == 2 && problem.domain))) names.push_back(problem.name);
  }
  return names;
}

std::vector<std::string> fields() {
  std::vector<std::string> names = known_data();
  for (const std::string& name : names_of_surfaces(false)) names.push_back(name);
  return names;
}

std::vector<std::string> values_of(const std::string& option, const std::string& command) {
  if (option == "--optimizer" && command == "landscape")
    return {"sgd", "nesterov", "adagrad", "rmsprop", "adam", "lion"};
  if (option == "--optimizer") return optimizers_for_batches();
  if (option == "--optimizers") return known_optimizers();
  if (option == "--schedule") return known_schedules();
  if (option == "--activation") return known_activations();
  if (option == "--model") return {"mlp", "conv", "linear"};
  if (option == "--norm") return {"none", "batch", "layer"};
  if (option == "--task") return {"auto", "classification", "regression"};
  if (option == "--header") return {"auto", "yes", "no"};
  if (option == "--method") return {"grid", "random", "halving"};
  if (option == "--on") return fields();
  return {};
}

void gather(const CLI::App& app, std::vector<std::string> path, std::vector<CommandWords>& commands) {
  CommandWords words{path, app.get_description(), {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    std::vector<std::string> names;
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    if (names.empty()) {  // an argument by its place
      if (option->get_single_name() == "data") words.next = known_data();
      if (option->get_single_name() == "surface") words.next = names_of_surfaces(true);
      if (option->get_single_name() == "shell") words.next = {"bash", "zsh", "fish"};
      continue;
    }
    words.options.push_back(
        {names, option->get_description(), values_of(names[0], app.get_name()), option->get_items_expected_max() > 0});
  }
  for (const CLI::App* command : app.get_subcommands({})) words.next.push_back(command->get_name());
  commands.push_back(words);
  for (const CLI::App* command : app.get_subcommands({})) {
    path.push_back(command->get_name());
    gather(*command, path, commands);
    path.pop_back();
  }
}

std::string option_names(const CommandWords& command) {
  std::vector<std::string> names;
  for (const OptionWords& option : command.options) names.push_back(join(option.names, " "));
  return join(names, " ");
}

// A word in single quotes, as all three shells read it.
std::string in_quotes(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return "'" + safe + "'";
}

std::string bash(const std::vector<CommandWords>& commands) {
  std::string cases, values, paths;
  for (const CommandWords& command : commands) {
    const std::string path = join(command.path, " ");
    if (!path.empty()) paths += (paths.empty() ? "" : "|") + in_quotes(path);
    cases += "    " + in_quotes(path) + ") options=" + in_quotes(option_names(command)) +
             "; next=" + in_quotes(join(command.next, " ")) + " ;;\n";
    for (const OptionWords& option : command.options) {
      if (!option.takes_value) continue;
      for (const std::string& name : option.names)
        values += "    " + in_quotes(path + " " + name) + ") values=" + in_quotes(join(option.values, " ")) +
                  "; known=1 ;;\n";
    }
  }
  return "# eval \"$(gradus completion bash)\"\n"
         "_gradus() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} path='' options next values='' "
         "known='' i\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         "    case \"${path:+$path }${COMP_WORDS[i]}\" in\n"
         "      " +
         paths +
         ") path=\"${path:+$path }${COMP_WORDS[i]}\" ;;\n"
         "      *) break ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$path\" in\n" +
         cases +
         "  esac\n"
         "  case \"$path $before\" in\n" +
         values +
         "  esac\n"
         "  if [[ -n $known ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$values\" -- \"$word\"))\n"
         "    [[ -n $values ]] || COMPREPLY=($(compgen -f -- \"$word\"))\n"
         "  elif [[ $word == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -W \"$next\" -- \"$word\") $([[ -z $path ]] || compgen -f -- \"$word\"))\n"
         "  fi\n"
         "}\n"
         "complete -o filenames -F _gradus gradus\n";
}

// zsh reads bash's completions.
std::string zsh(const std::vector<CommandWords>& commands) {
  return "# eval \"$(gradus completion zsh)\"\n"
         "autoload -U +X compinit && compinit\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash(commands);
}

std::string fish(const std::vector<CommandWords>& commands) {
  std::string script = "# gradus completion fish | source\ncomplete -c gradus -f\n";
  for (const CommandWords& command : commands) {
    std::string here = "__fish_use_subcommand";
    if (!command.path.empty()) here = "__fish_seen_subcommand_from " + command.path.back();
    const std::string start = "complete -c gradus -n " + in_quotes(here);
    for (const OptionWords& option : command.options) {
      script += start;
      for (const std::string& name : option.names)
        script += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (option.takes_value)
        script += option.values.empty() ? " -r -F" : " -x -a " + in_quotes(join(option.values, " "));
      script += " -d " + in_quotes(option.help) + "\n";
    }
    if (!command.next.empty()) script += start + " -a " + in_quotes(join(command.next, " ")) + "\n";
    if (!command.path.empty()) script += start + " -F\n";
  }
  return script;
}

}  // namespace

void add_completion(CLI::App& app, int&) {
  static std::string shell;
  CLI::App* command = app.add_subcommand("completion", "Print a script that completes commands and options in a shell");
  command->add_option("shell", shell, "bash, zsh or fish")->required()->type_name("SHELL");
  command->footer(
      "Examples:\n"
      "  gradus completion bash > gradus.bash\n"
      "  gradus completion zsh > _gradus\n"
      "  gradus completion fish > gradus.fish\n"
      "  eval \"$(gradus completion bash)\"");
  command->callback([&app] {
    check_known("completion: shell", shell, {"bash", "zsh", "fish"});
    std::vector<CommandWords> commands;
    gather(app, {}, commands);
    const std::string script = shell == "bash" ? bash(commands) : shell == "zsh" ? zsh(commands) : fish(commands);
    std::fputs(script.c_str(), stdout);
  });
}

}  // namespace gradus::tool
