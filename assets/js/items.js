// The items of an order: ticked lines are counted and kept, and Esc puts back a tracking field.

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
