// Previews: while a text is being written, its preview follows, half a second behind the typing.

const behind = 500
let waiting = 0
let chosen = null

const buttons = (form) => [...form.elements].filter((one) => one.matches('[data-cf-preview]'))
const show = (form) => {
  const [first] = buttons(form)
  const button = buttons(form).includes(chosen) ? chosen : first
  if (button) form.requestSubmit(button)
}

document.addEventListener('click', ({ target }) => {
  const button = target.closest?.('[data-cf-preview]')
  if (button) chosen = button
})

document.addEventListener('input', ({ target }) => {
  if (!target.form || !buttons(target.form).length) return
  clearTimeout(waiting)
  waiting = setTimeout(() => show(target.form), behind)
})

document.addEventListener('DOMContentLoaded', () => {
  const button = document.querySelector('[data-cf-preview][data-cf-at-once]')
  if (button) show(button.form)
})
