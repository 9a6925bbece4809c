#include "toy_world/senses/vision_training.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>

#include "encoders/patch_grid.h"
#include "toy_world/senses/background_producer.h"
#include "toy_world/senses/picture_labels.h"
#include "toy_world/senses/starts.h"
#include "toy_world/senses/training.h"

namespace vllama::toy {
namespace {

constexpr double kCentreWeight = 4, kPlaceWeight = 2;

// What a linear layer says of a shape that may be there.
struct ShapeOutputs {
  static constexpr std::int64_t kWidth = 1 + kNumKinds + kNumColours + 1 + 2;

  at::Tensor present, kind, colour, size, place;

  // values [..., kWidth]
  explicit ShapeOutputs(const at::Tensor& values)
      : present(values.select(-1, 0)),
        kind(values.narrow(-1, 1, kNumKinds)),
        colour(values.narrow(-1, 1 + kNumKinds, kNumColours)),
        size(values.select(-1, 1 + kNumKinds + kNumColours)),
        place(values.narrow(-1, kWidth - 2, 2)) {}
};

at::Tensor presence_loss(const at::Tensor& logits, const at::Tensor& present) {
  return at::binary_cross_entropy_with_logits(logits, present);
}

at::Tensor choice_loss(const at::Tensor& logits, const at::Tensor& choices) {
  return at::cross_entropy_loss(logits.reshape({-1, logits.size(-1)}), choices.reshape({-1}), {},
                                at::Reduction::Mean, kNothing);
}

// The mean of `losses` over the shapes that are there.
at::Tensor mean_of_present(const at::Tensor& losses, const at::Tensor& present) {
  return (losses * present).sum() / present.sum().clamp_min(1);
}

at::Tensor size_loss(const at::Tensor& logits, const ShapeLabels& labels) {
  const at::Tensor targets = labels.size.clamp_min(0).to(at::kFloat);
  return mean_of_present(
      at::binary_cross_entropy_with_logits(logits, targets, {}, {}, at::Reduction::None),
      labels.present);
}

at::Tensor place_loss(const at::Tensor& places, const ShapeLabels& labels) {
  return mean_of_present((places - labels.place).square().sum(-1), labels.present);
}

// Without the kind, which is given where there is one row for each kind.
at::Tensor shape_loss(const ShapeOutputs& outputs, const ShapeLabels& labels,
                      double presence_weight) {
  return presence_weight * presence_loss(outputs.present, labels.present) +
         choice_loss(outputs.colour, labels.colour) + size_loss(outputs.size, labels) +
         kPlaceWeight * place_loss(outputs.place, labels);
}

class Teacher {
 public:
  explicit Teacher(const models::Branch& vision)
      : patch_head_(vision.encoders().front()->width(), ShapeOutputs::kWidth),
        class_head_(vision.encoders().front()->width(), kNumFields + kNumNumbers + kNumKinds),
        query_head_(vision.resampler()->num_tokens() * vision.resampler()->width(),
                    kNumKinds * ShapeOutputs::kWidth + kNumFields + kNumNumbers) {}

  void declare(nn::ParameterList& list) {
    patch_head_.declare(list, "patch_head");
    class_head_.declare(list, "class_head");
    query_head_.declare(list, "query_head");
  }

  // tokens_NLE: outputs of the encoder behind its norm; queries_NW: those of the Q-Former, all of
  // a picture in a row.
  at::Tensor loss(const at::Tensor& tokens_NLE, const at::Tensor& queries_NW,
                  const PictureLabels& labels) const {
    const ShapeOutputs patches(patch_head_(tokens_NLE.narrow(1, 1, tokens_NLE.size(1) - 1)));
    const at::Tensor from_class = class_head_(tokens_NLE.select(1, 0));
    const at::Tensor from_queries = query_head_(queries_NW);
    const std::int64_t num_shape_outputs = kNumKinds * ShapeOutputs::kWidth;
    const ShapeOutputs kinds(
        from_queries.narrow(1, 0, num_shape_outputs).view({-1, kNumKinds, ShapeOutputs::kWidth}));
    const std::int64_t num_background_outputs = kNumFields + kNumNumbers;
    return shape_loss(patches, labels.patches, kCentreWeight) +
           choice_loss(patches.kind, labels.patches.kind) +
           background_loss(from_class.narrow(1, 0, num_background_outputs), labels) +
           presence_loss(from_class.narrow(1, num_background_outputs, kNumKinds),
                         labels.kinds.present) +
           shape_loss(kinds, labels.kinds, kCentreWeight) +
           background_loss(from_queries.narrow(1, num_shape_outputs, num_background_outputs),
                           labels);
  }

 private:
  static at::Tensor background_loss(const at::Tensor& outputs, const PictureLabels& labels) {
    return choice_loss(outputs.narrow(1, 0, kNumFields), labels.field_N) +
           choice_loss(outputs.narrow(1, kNumFields, kNumNumbers), labels.number_N);
  }

  nn::Linear patch_head_, class_head_, query_head_;
};

struct Batch {
  at::Tensor frames_NHWC;
  PictureLabels labels;
};

}  // namespace

std::int64_t patches_per_side(const models::Branch& vision) {
  return encoders::grid_side(vision.encoders().front()->tokens_per_unit()).value();
}

std::vector<double> train_vision(models::Branch& vision, const VisionTraining& settings,
                                 std::uint64_t seed) {
  const encoders::Encoder& encoder = *vision.encoders().front();
  Teacher teacher(vision);
  nn::ParameterList parameters;
  vision.declare_encoders(parameters);
  vision.declare_resampler(parameters);
  enlarge_starts(parameters);
  teacher.declare(parameters);
  nn::initialize(parameters, seed);

  BackgroundProducer<Batch> batches(
      [&settings, side = patches_per_side(vision), seed](std::int64_t step) {
        RandomStream random(stream_key(seed, Stream::vision_pictures, step));
        std::vector<Picture> pictures;
        for (std::int64_t i = 0; i < settings.batch_size; ++i)
          pictures.push_back(draw_picture(random));
        return Batch{frames(pictures), label(pictures, side)};
      });
  const auto tokens_of_picture =
      nn::Segments::equal(settings.batch_size, encoder.tokens_per_unit());
  const auto loss_of_step = [&](std::int64_t) {
    const Batch batch = batches.next();
    const at::Tensor tokens_RE = encoder(encoder.prepared(batch.frames_NHWC));
    const at::Tensor queries_RD = (*vision.resampler())(tokens_RE, tokens_of_picture);
    const at::Tensor tokens_NLE =
        tokens_RE.view({settings.batch_size, encoder.tokens_per_unit(), encoder.width()});
    return teacher.loss(tokens_NLE, queries_RD.view({settings.batch_size, -1}), batch.labels);
  };
  return train(parameters,
               {.name = "vision",
                .num_steps = settings.num_steps,
                .peak_learning_rate = settings.peak_learning_rate},
               loss_of_step);
}

}  // namespace vllama::toy
