// Seeds of settings, of what evaluations read, and of a run's own logs.
#include "core/files.h"
#include "tools/fuzz/seeds/seeds.h"

namespace vllama::fuzz {
namespace {

namespace fs = std::filesystem;

void add_settings(Seeds& seeds) {
  enum : std::size_t { kRun, kEvaluation, kOriginal };
  const auto add = [&](std::size_t kind, const auto&... texts) {
    seeds.add("settings", kind, joined(texts...));
  };
  for (const char* name : {"vision_stage1_vicuna7b", "demo_vision_stage2", "demo_audio_on_sound"})
    add(kRun, read_file(fs::path("configs/runs") / (std::string(name) + ".yaml")),
        std::string("seed=3"), std::string("data.sets.0.weight=2.5"),
        std::string("training={batch_size: 4}"));
  for (const char* name : {"captions", "hallucination", "demo"})
    add(kEvaluation, read_file(fs::path("configs/eval") / (std::string(name) + ".yaml")),
        std::string("tasks.0.prompt='What {}?'"), std::string("device=cpu"));
  add(kRun,
      std::string("output_dir: ~/runs/$HOME\ndata: {sets: [{name: a, media_root: ./~b$$}]}\n"));
  add(kRun,
      std::string("include: circle.yaml\ndata: &d {include: data.yaml, sets: []}\neval: *d\n"));
  add(kOriginal, std::string(R"(model:
  arch: video_llama
  model_type: pretrain_vicuna or pretrain_llama_v2
  llama_model: "ckpt/vicuna-13b/" or "ckpt/vicuna-7b/"  # choose
  frozen_llama_proj: False
datasets:
  cc_sbu_align:
    data_type: images
      build_info:
        storage: path/cc_sbu_align/
)"));
  add(kOriginal, std::string(R"(model:
  arch: video_llama
  model_type: pretrain_vicuna
  llama_model: ckpt/llama
  frozen_llama_proj: False
  frozen_video_Qformer: False
  image_size: 224
  num_query_token: 32
datasets:
  webvid:
    build_info: {anno_dir: csv, videos_dir: videos}
    text_processor: {train: {name: blip_caption}}
    vis_processor: {train: {name: alpro_video_train, n_frms: 8, image_size: 224}}
run:
  task: video_text_pretrain
  lr_sched: linear_warmup_cosine_lr
  init_lr: 1e-4
  iters_per_epoch: 2500
  max_epoch: 5
  batch_size_train: 32
)"));
}

void add_answers(Seeds& seeds) {
  seeds.add(
      "predictions",
      R"({"id": "1", "video": "v", "question": "What?", "answer_gt": "a dog", "prediction":)"
      R"( "dog", "n_frames": 8, "template": "reference", "status": "ok", "in_words": "A dog."})"
      "\n"
      R"({"id": "2", "video": "w", "shown": "v", "question": "", "type": "3", "answer_gt":)"
      R"( ["a", "b"], "prediction": "", "options": ["a", "c"], "option_scores": [-1.5, -2],)"
      R"( "n_frames": 0, "template": "", "status": "not_found"})"
      "\n");
  seeds.add("judge",
            R"({"v_x_1": [{"pred": "yes", "score": 5}, {"q": "q2"}], "v_y_0": {"score": "4"},)"
            R"( "v_x_0": "{'pred': 'no', 'score': 1}"})");
  seeds.add("judge", R"( {'pred' : "it's \'no\'", 'score': 4.8, 'why': "a\nb" } )");
}

void add_provenance(Seeds& seeds) {
  seeds.add(
      "provenance",
      R"({"program": "vllama 1", "run_folder": "/runs/a", "saved_step_modules": ["projection"],)"
      R"( "weights": [{"what": "model.weights.q_former", "path": "/w/q.pth", "bytes": 9,)"
      R"( "hash_of": "pieces", "sha256": "ab", "modified": 17}], "texts": [], "data": [{)"
      R"("name": "a", "format": "csv", "entries": 5, "invalid": 1, "annotations": [{"what":)"
      R"( "data set 'a'", "path": "a.csv", "bytes": 0, "hash_of": "none"}], "media": []}]})");
}

void add_question_answering(Seeds& seeds) {
  enum : std::size_t { kActivityNet, kZeroShot, kMsvd, kMsrvtt, kChatGpt, kConsistency };
  const std::string answers =
      R"([{"answer": "yes", "type": 3, "question_id": "b_1"}, {"answer": "a", "question_id": 2}])";
  for (const std::size_t format : {kActivityNet, kZeroShot})
    seeds.add("questions", format,
              joined(R"([{"video_name": "b", "question": "is it", "question_id": "b_1"},
                         {"video_name": "a", "question": "who", "question_id": 2}])",
                     answers));
  seeds.add("questions", kMsvd,
            joined(R"([{"answer": "dog", "id": 12, "question": "what runs?", "video_id": 7}])",
                   std::string("xyz vid6\na vid7\n")));
  seeds.add("questions", kMsrvtt,
            R"({"answer": "dog", "question": "what?", "video_id": 1, "answer_type": "what"})");
  seeds.add("questions", kChatGpt, R"([{"Q": "what", "A": "a", "video_name": "a"}])");
  seeds.add("questions", kConsistency, R"([{"Q1": "x", "Q2": "y", "A": 3, "video_name": "a"}])");
}

void add_other_questions(Seeds& seeds) {
  enum : std::size_t { kMvBench = 6, kMsrvtt, kMsvd, kCaptions, kPope, kProbes, kOwn };
  seeds.add("questions", kMvBench,
            R"([{"video": "a.mp4", "question": "What?", "candidates": ["run", "sit"],
                 "answer": "sit", "start": 1.5, "end": 3}])");
  seeds.add("questions", kMsrvtt,
            R"({"videos": [{"video_id": "video1", "split": "test"}], "sentences":
                [{"caption": "one", "video_id": "video1", "sen_id": 0}]})");
  seeds.add("questions", kMsvd,
            joined("a A cat\na One cat\nvideo1 A dog\n", std::string("a vid1\n")));
  seeds.add("questions", kCaptions,
            R"({"id": 1, "caption": "A dog runs.", "media": [{"video": "a.mp4"}]})");
  seeds.add("questions", kPope,
            R"([{"question_id": 1, "image": "1.jpg", "text": "Is there a dog?", "label": "no"}])");
  seeds.add("questions", kProbes,
            joined(R"([{"image": "1.jpg", "objects": ["dog", "cat"]},
                       {"video": "a", "id": 4, "objects": ["car"]}])",
                   std::string("dog, puppy\nbus\ncar,auto mobile\n")));
  seeds.add("questions", kOwn,
            R"([{"id": 1, "video": "a", "question": "What?", "answers": ["x", "y"], "start": 1},
                {"id": "2", "sound": "c.wav", "question": "Loud?", "answer": "no", "type": "t",
                 "options": ["no", "yes"]}])");
}

}  // namespace

void add_result_seeds(Seeds& seeds) {
  add_settings(seeds);
  add_answers(seeds);
  add_provenance(seeds);
  add_question_answering(seeds);
  add_other_questions(seeds);
}

}  // namespace vllama::fuzz
