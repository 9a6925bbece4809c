#include "eval/report/page_script.h"

namespace vllama::eval {

const char* const kPageScript = R"js(
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const images = new Map(Object.entries(data.images));
  const byId = (id) => document.getElementById(id);
  const perPage = 24;
  const verdicts = { all: 'All', right: 'Right', partly: 'Partly right', wrong: 'Wrong',
                     missing: 'Missing', open: 'Not judged' };
  const state = { show: 'all', type: '', order: 'annotation', search: '', page: 1 };

  for (const row of data.rows)
    row.haystack = [row.id, row.video, row.question, row.prediction, row.status, ...row.references]
      .join('\n').toLowerCase();

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function labelled(label, text, className) {
    const block = element('div');
    block.append(element('span', 'label', label));
    const content = element('div', 'text ' + className, text);
    content.dir = 'auto';
    block.append(content);
    return block;
  }

  function badgeOf(row) {
    let text = verdicts[row.verdict];
    if (row.verdict === 'missing') text += ': ' + row.status;
    else if (row.verdict === 'partly') text += ' ' + row.value.toFixed(3);
    const badge = element('bdi', 'badge', text);
    if (row.value !== null) badge.title = data.valueName + ' ' + row.value;
    return badge;
  }

  function framesOf(row) {
    const frames = element('div', 'frames');
    images.get(row.video).forEach((source, place) => {
      const image = element('img');
      image.src = source;
      image.alt = 'frame ' + (place + 1);
      frames.append(image);
    });
    return frames;
  }

  function optionsOf(row) {
    const best = row.scores.indexOf(Math.max(...row.scores));
    const list = element('ol', 'options');
    row.options.forEach((option, place) => {
      const score = place < row.scores.length ? ' (' + row.scores[place].toFixed(3) + ')' : '';
      const item = element('li', place === best ? 'chosen' : '');
      item.append(element('bdi', '', option), score);
      list.append(item);
    });
    return list;
  }

  function cardOf(row) {
    const card = element('article', 'card ' + row.verdict);
    if (images.has(row.video)) card.append(framesOf(row));
    const head = element('div', 'head');
    const id = element('bdi', 'id mono', row.id);
    id.title = row.id + ' \u00b7 ' + row.video;
    head.append(badgeOf(row), id);
    if (row.type) head.append(element('bdi', 'type', row.type));
    card.append(head);
    if (row.question) card.append(labelled('Question', row.question, 'question'));
    card.append(labelled('Answer', row.prediction, 'answer'));
    if (row.inWords) card.append(labelled('In words', row.inWords, 'answer'));
    const label = row.references.length > 1 ? 'References' : 'Reference';
    card.append(labelled(label, row.references.join('\n'), 'reference'));
    if (row.options.length) card.append(optionsOf(row));
    return card;
  }

  function chosenRows() {
    const search = state.search.trim().toLowerCase();
    const rows = data.rows.filter((row) =>
      (state.show === 'all' || row.verdict === state.show) &&
      (state.type === '' || row.type === state.type) &&
      (search === '' || row.haystack.includes(search)));
    const value = (row) => (row.value === null ? Infinity : row.value);
    if (state.order === 'lowest') rows.sort((a, b) => value(a) - value(b) || 0);
    return rows;
  }

  function render() {
    const rows = chosenRows();
    const numPages = Math.max(1, Math.ceil(rows.length / perPage));
    state.page = Math.min(Math.max(1, state.page), numPages);
    const shown = rows.slice((state.page - 1) * perPage, state.page * perPage);
    byId('cards').replaceChildren(...shown.map(cardOf));
    byId('count').textContent = rows.length + ' of ' + data.rows.length + ' questions';
    byId('page').textContent = 'Page ' + state.page + ' of ' + numPages;
    byId('previous').disabled = state.page === 1;
    byId('next').disabled = state.page === numPages;
    for (const button of byId('verdicts').children)
      button.setAttribute('aria-pressed', String(button.value === state.show));
    byId('type').value = state.type;
    byId('order').value = state.order;
    if (byId('search').value !== state.search) byId('search').value = state.search;
  }

  function address() {
    const entries = Object.entries(state).filter(([key, value]) =>
      String(value) !== { show: 'all', type: '', order: 'annotation', search: '', page: '1' }[key]);
    return '#' + new URLSearchParams(entries);
  }

  function change(changes) {
    Object.assign(state, { page: 1 }, changes);
    render();
    location.replace(address());
  }

  function readAddress() {
    const given = new URLSearchParams(location.hash.slice(1));
    state.show = Object.hasOwn(verdicts, given.get('show')) ? given.get('show') : 'all';
    state.type = given.get('type') || '';
    state.order = given.get('order') === 'lowest' ? 'lowest' : 'annotation';
    state.search = given.get('search') || '';
    state.page = Number.parseInt(given.get('page') || '1', 10) || 1;
    render();
  }

  function start() {
    const counts = { all: data.rows.length };
    const types = new Set();
    for (const row of data.rows) {
      counts[row.verdict] = (counts[row.verdict] || 0) + 1;
      types.add(row.type);
    }
    for (const [name, label] of Object.entries(verdicts)) {
      if (!counts[name]) continue;
      const button = element('button', '', label + ' (' + counts[name] + ')');
      button.value = name;
      button.type = 'button';
      button.addEventListener('click', () => change({ show: name }));
      byId('verdicts').append(button);
    }
    for (const type of [...types].sort()) {
      if (type === '') continue;
      const option = element('option', '', type);
      option.value = type;
      byId('type').append(option);
    }
    byId('type').hidden = types.size < 2;
    byId('type').addEventListener('change', (event) => change({ type: event.target.value }));
    byId('order').addEventListener('change', (event) => change({ order: event.target.value }));
    let waiting = 0;
    byId('search').addEventListener('input', (event) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => change({ search: event.target.value }), 150);
    });
    byId('previous').addEventListener('click', () => change({ page: state.page - 1 }));
    byId('next').addEventListener('click', () => change({ page: state.page + 1 }));
    addEventListener('hashchange', readAddress);
    readAddress();
  }

  start();
})();
)js";

}  // namespace vllama::eval
