# Sound on its way to the audio encoder, without the rest of the processors.
vllama_library(audio_front_end
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/audio_clips.cpp ${CMAKE_CURRENT_LIST_DIR}/mel.cpp
  LINK vllama_config vllama_media libtorch)
