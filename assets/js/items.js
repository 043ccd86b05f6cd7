// The items of an order: ticked lines are counted and kept, and Esc puts back a tracking field.

import { say } from './say.js'

const ticked = () => [...document.querySelectorAll('.cf-pick-one:checked')]

document.addEventListener('change', ({ target }) => {
  if (!target.matches?.('.cf-pick-one')) return
  const count = ticked().length
  for (const told of document.querySelectorAll('[data-cf-ticked]')) told.textContent = `${count} ticked`
  const form = target.form
  if (form) count ? (form.dataset.dirty = '1') : delete form.dataset.dirty
})

// What is ticked goes on to a dialog, whose answer may replace the table.
document.addEventListener('click', ({ target }) => {
  const form = target.closest?.('.cf-bulk button')?.form
  if (form) delete form.dataset.dirty
})

document.addEventListener('keydown', (event) => {
  const form = event.key === 'Escape' && event.target.closest?.('.cf-scan')
  if (!form) return
  event.preventDefault()
  form.querySelector('[data-cf-restore]').click()
})

// Long bags: only the lines that hold what is being looked for.
document.addEventListener('input', ({ target }) => {
  const bag = target.dataset?.cfFind && document.getElementById(target.dataset.cfFind)
  if (!bag) return
  const wanted = target.value.trim().toLowerCase()
  let shown = 0
  for (const row of bag.querySelectorAll('.cf-items tbody tr')) {
    row.hidden = Boolean(wanted) && !row.textContent.toLowerCase().includes(wanted)
    if (!row.hidden) shown += 1
  }
  say(`${shown} lines`)
})
