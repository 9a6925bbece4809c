// Captions of sounds: AudioCaps and Clotho.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "tests/datasets/annotation_file.h"

namespace vllama::datasets {
namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

const std::string kAudioCaps = "audiocap_id,youtube_id,start_time,caption\n";
const std::string kClotho = "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n";

Counts sound_faults(const std::string& format, const std::string& content) {
  return AnnotationFile(content, "rows.csv").open(format)->invalid().count_of_reason();
}

std::string answer_of(const Dataset& dataset, std::int64_t index) {
  return dataset.record(index).conversation.turns.at(0).answer;
}

}  // namespace

TEST_CASE("audiocaps: real rows") {
  VLLAMA_SHARED_FILE(file, "fixtures/annotations/audiocaps_val.csv");
  DatasetConfig config;
  config.name = config.format = "audiocaps";
  config.annotations = file;
  config.media_root = "A";
  const auto dataset = open_dataset(config);
  CHECK(dataset->size() == 2475);
  CHECK(dataset->invalid().total() == 0);
  CHECK(dataset->doubtful().total() == 0);
  const Record record = dataset->record(0);
  CHECK(record.id == "97151");
  CHECK(record.media.at(0).source == "A/vfY_TJq7n_U_130.flac");
  CHECK(record.media[0].kind == MediaKind::sound);
  CHECK(record.conversation.is_caption());
  CHECK_THAT(answer_of(*dataset, 0), Catch::StartsWith("Rustling occurs, ducks quack"));
}

TEST_CASE("audiocaps: the clip is looked for first, then the whole recording") {
  const test::TemporaryFolder media;
  const AnnotationFile file(kAudioCaps + "1,-x_y,30,\" A dog, barking \"\n", "rows.csv");
  const auto dataset = file.open("audiocaps", media.path());
  const auto sound = [&] { return dataset->record(0).media.at(0); };
  CHECK(sound().source == media.path() / "-x_y_30.flac");
  CHECK(answer_of(*dataset, 0) == "A dog, barking");
  for (const std::string extension : {"mp4", "m4a", "mp3", "wav", "flac"}) {
    std::ofstream(media.path() / ("-x_y." + extension)) << "x";
    CHECK(sound().source == media.path() / ("-x_y." + extension));
    CHECK(sound().start_seconds == 30);
    CHECK(sound().end_seconds == 40);
  }
  for (const std::string extension : {"mp4", "m4a", "mp3", "wav", "flac"}) {
    std::ofstream(media.path() / ("-x_y_30." + extension)) << "x";
    CHECK(sound().source == media.path() / ("-x_y_30." + extension));
    CHECK(sound().start_seconds == 0);
    CHECK(sound().end_seconds > 1e9);
  }
}

TEST_CASE("audiocaps: every kind of bad row has its reason") {
  const std::string good = kAudioCaps + "1,a,0,fine\n";
  CHECK(sound_faults("audiocaps", good).empty());
  CHECK(sound_faults("audiocaps", good + ",a,0,x\n2,,0,x\n") == Counts{{"missing_id", 2}});
  CHECK(sound_faults("audiocaps", good + "2,a,,x\n3,a,nan,x\n") == Counts{{"missing_start", 2}});
  CHECK(sound_faults("audiocaps", good + "2,a,-1,x\n3,a,x,x\n4,a,1s,x\n5,a,inf,x\n") ==
        Counts{{"bad_time", 4}});
  CHECK(sound_faults("audiocaps", good + "2,a,0,\n3,a,0,NaN\n4,a,0,\" \"\n5,a,0\n") ==
        Counts{{"missing_caption", 4}});
  CHECK(sound_faults("audiocaps", good + "2,a,0,x,y\n") == Counts{{"too_many_fields", 1}});
  CHECK(sound_faults("audiocaps", good + "2,a,0,caf\xE9\n") == Counts{{"not_utf8", 1}});
  CHECK_THROWS_WITH(sound_faults("audiocaps", "youtube_id,caption\na,b\n"),
                    Contains("no column 'audiocap_id'"));
  const auto dataset = AnnotationFile(good + "1,b,0,x\n", "rows.csv").open("audiocaps");
  CHECK(dataset->size() == 2);
  CHECK_THAT(dataset->doubtful().summary(), Contains("1 duplicate_id") && Contains("rows.csv:3"));
}

TEST_CASE("clotho: each caption is a record of its own") {
  const AnnotationFile file(
      kClotho + "\"Bob's, 1.wav\",a,b,\"c, c\",d,e\nsecond one.wav,f,,NaN,i,j\n", "rows.csv");
  const auto dataset = file.open("clotho");
  REQUIRE(dataset->size() == 8);
  CHECK(dataset->invalid().count_of_reason() == Counts{{"missing_caption", 2}});
  CHECK_THAT(dataset->invalid().listed()[0].place, Contains("rows.csv:3"));
  CHECK(dataset->record(2).media.at(0).source == "M/Bob's, 1.wav");
  CHECK(dataset->record(2).media[0].kind == MediaKind::sound);
  CHECK(dataset->record(2).id == "Bob's, 1.wav#3");
  std::string captions;
  for (std::int64_t i = 0; i < dataset->size(); ++i) captions += answer_of(*dataset, i) + ";";
  CHECK(captions == "a;b;c, c;d;e;f;i;j;");
  CHECK(sound_faults("clotho", kClotho + "x.wav,a,b,c,d,e\n,a,b,c,d,e\n") ==
        Counts{{"missing_id", 5}});
  CHECK_THROWS_WITH(sound_faults("clotho", "file_name,caption_1\na,b\n"), Contains("'caption_2'"));
}

}  // namespace vllama::datasets
