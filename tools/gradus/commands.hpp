// The subcommands. Each adds itself to the program and leaves its exit status: 0 all is well, 1 the answer is no, 2 the
// question could not be answered, 3 the answer is not certain.
#pragma once

namespace CLI {
class App;
}

namespace gradus::tool {

void add_compare(CLI::App& app, int& status);
void add_completion(CLI::App& app, int& status);
void add_data(CLI::App& app, int& status);
void add_diagnose(CLI::App& app, int& status);
void add_gradcheck(CLI::App& app, int& status);
void add_inspect(CLI::App& app, int& status);
void add_landscape(CLI::App& app, int& status);
void add_lr_find(CLI::App& app, int& status);
void add_predict(CLI::App& app, int& status);
void add_search(CLI::App& app, int& status);
void add_train(CLI::App& app, int& status);

}  // namespace gradus::tool
