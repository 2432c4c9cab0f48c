# The back end: everything that includes an LLVM header, in one shared library that the program opens when it compiles.
# LLVM's version file wants the minor version too.
find_package(LLVM 19.1 REQUIRED CONFIG)
file(GLOB llvm_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/codegen/llvm/*.cpp)
if(llvm_sources)
  add_library(gradus_llvm SHARED ${llvm_sources})
  target_include_directories(gradus_llvm SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})
  target_compile_definitions(gradus_llvm PRIVATE ${LLVM_DEFINITIONS})
  if(GRADUS_FUZZ)
    target_compile_options(gradus_llvm PRIVATE -fno-sanitize=function)  # generated functions carry no type to compare
  endif()
  target_link_libraries(gradus_llvm PRIVATE gradus_options gradus_codegen LLVM)
endif()
