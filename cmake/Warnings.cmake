# posteriord::warnings: the warnings our own code is compiled with.
add_library(posteriord_warnings INTERFACE)
add_library(posteriord::warnings ALIAS posteriord_warnings)
target_compile_options(posteriord_warnings INTERFACE
  -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<BOOL:${POSTERIORD_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
