# posteriord::warnings: the warnings our own code is compiled with.
add_library(posteriord_warnings INTERFACE)
add_library(posteriord::warnings ALIAS posteriord_warnings)
target_compile_options(posteriord_warnings INTERFACE
  -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<BOOL:${POSTERIORD_WERROR}>:-Werror>
  # GCC 12 warns inside its own AVX-512 intrinsics (GCC bug 105593) and, at -O1, std::string (105651)
  # by several names. A source file within a unity build it takes for a header with anonymous types.
  "$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-array-bounds;-Wno-restrict;-Wno-stringop-overflow;-Wno-subobject-linkage>"
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
