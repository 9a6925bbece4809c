// One reader per annotation format. Each gives the questions in the order of the file, those whose
// medium is not there included, and counts the rows, of which broken ones are left out. All throw
// UserError naming file, row and what is wrong with a file as a whole, as for_each_row() does.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "eval/scores/object_probes.h"
#include "eval/tasks/media_finder.h"
#include "eval/tasks/question.h"
#include "eval/tasks/task_config.h"

namespace vllama::eval {

// Questions and answers in two files that are joined by question_id. Media: v_<video_name> or
// <video_name>.
std::vector<Question> read_activitynet_qa(const TaskConfig& task, MediaFinder& media,
                                          AnnotationRows& rows);
// The same without types and with media <video_name>.
std::vector<Question> read_zero_shot_qa(const TaskConfig& task, MediaFinder& media,
                                        AnnotationRows& rows);
// {"answer", "id", "question", "video_id"}; media by line of media_names, else <name>.
std::vector<Question> read_msvd_qa(const TaskConfig& task, MediaFinder& media,
                                   AnnotationRows& rows);
// The names of MSVD's videos by "vid<number>", from lines "<name> vid<number>"; none without file.
std::map<std::string, std::string> msvd_names(const std::string& file);
// The same; media video<video_id>.
std::vector<Question> read_msrvtt_qa(const TaskConfig& task, MediaFinder& media,
                                     AnnotationRows& rows);

// {"Q", "A", "video_name"}: ids are <video_name>_<how often it occurred before>.
std::vector<Question> read_video_chatgpt(const TaskConfig& task, MediaFinder& media,
                                         AnnotationRows& rows);
// {"Q1", "Q2", "A", "video_name"}: two questions, with ids that end in _q1 and _q2.
std::vector<Question> read_video_chatgpt_consistency(const TaskConfig& task, MediaFinder& media,
                                                     AnnotationRows& rows);
// A folder of <task>.json: {"video", "question", "candidates", "answer", "start"?, "end"?}.
std::vector<Question> read_mvbench(const TaskConfig& task, MediaFinder& media,
                                   AnnotationRows& rows);

// {"question_id", "image" (or "video"), "text", "label"}: yes or no. Type: "category" if given.
std::vector<Question> read_pope(const TaskConfig& task, MediaFinder& media, AnnotationRows& rows);
// Probes made of rows {"video" (or "image"), "objects", "id"?}; see object_probes().
std::vector<Question> read_object_probes(const TaskConfig& task, MediaFinder& media,
                                         AnnotationRows& rows);
// Those rows themselves; without an id the medium's name is its id.
std::vector<MediumObjects> read_objects(const std::string& file, AnnotationRows& rows);

// Captions, with all captions of a medium as its references.
std::vector<Question> read_msrvtt_captions(const TaskConfig& task, MediaFinder& media,
                                           AnnotationRows& rows);
std::vector<Question> read_msvd_captions(const TaskConfig& task, MediaFinder& media,
                                         AnnotationRows& rows);
// Of a data set as it is trained on.
std::vector<Question> read_captions(const TaskConfig& task, AnnotationRows& rows);

// Our own: {"id", "video" | "image" | "sound", "question", "answer" or "answers", "type"?,
// "options"?, "start"?, "end"?}.
std::vector<Question> read_own_questions(const TaskConfig& task, MediaFinder& media,
                                         AnnotationRows& rows);

}  // namespace vllama::eval
