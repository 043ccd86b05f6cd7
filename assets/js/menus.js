// Menus are <details>: they open without script. Here they close by Esc, by a click elsewhere and when
// the next one opens, and the arrow keys walk through them.

const open = () => document.querySelectorAll('details.cf-menu[open]')
const sheet = (menu) => menu.closest('[popover]:popover-open')

document.addEventListener('toggle', ({ target }) => {
  if (!target.matches?.('details.cf-menu') || !target.open || sheet(target)) return
  for (const other of open()) if (other !== target && !other.contains(target)) other.open = false
  const body = target.querySelector('.cf-menu-body')
  target.classList.remove('cf-end')
  target.classList.toggle('cf-end', body.getBoundingClientRect().right > innerWidth - 8)
}, true)

document.addEventListener('click', ({ target }) => {
  for (const menu of open()) {
    const choice = menu.contains(target) && target.closest?.('a.cf-menu-item, button.cf-menu-item')
    if ((!menu.contains(target) && !sheet(menu)) || choice) menu.open = false
  }
})

document.addEventListener('keydown', (event) => {
  const menu = event.target.closest?.('details.cf-menu')
  if (!menu) return
  if (event.key === 'Escape' && menu.open) {
    menu.open = false
    menu.querySelector('summary').focus()
    event.stopPropagation()
    return
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (!step || event.target.matches('input:not([type=checkbox]), select')) return
  event.preventDefault()
  menu.open = true
  const items = [...menu.querySelectorAll('.cf-menu-body :is(a, button, input, select)')].filter((item) => !item.disabled && item.type !== 'hidden')
  const at = items.indexOf(document.activeElement)
  items[(at + step + items.length) % items.length]?.focus()
})

// How many are ticked stands on the button at once; the answer to the filter confirms it.
document.addEventListener('change', ({ target }) => {
  const form = target.closest?.('[data-cf-filters]')
  if (!form) return
  let all = 0
  for (const menu of form.querySelectorAll('details.cf-menu')) {
    const ticked = menu.querySelectorAll('input:checked').length
    const typed = [...menu.querySelectorAll('input:not([type=checkbox]), select')].filter((field) => field.value).length
    menu.querySelector('[data-cf-set]').textContent = ticked + typed || ''
    all += ticked + typed
  }
  form.querySelector('[data-cf-set-all]').textContent = all + (form.elements.q.value ? 1 : 0) || ''
})
