// The keyboard: a few letters, never inside a field, and off where the reader switched them off.

const switchedOff = () => localStorage.getItem('cf-letters') === 'off'
const places = { o: '/portal/orders/open', a: '/portal/orders/all', r: '/portal/reviews', s: '/portal/settle', l: '/portal/letters' }
const actions = { c: 'capture', v: 'void', f: 'refund' }
let waiting = 0

const typing = (target) => target.closest?.('input:not([type=checkbox]), textarea, select, dialog, [contenteditable]')
const rows = () => [...document.querySelectorAll('[data-cf-row]')]

function walk(step) {
  const all = rows()
  const at = all.findIndex((row) => row.contains(document.activeElement))
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)]
  next?.querySelector('a')?.focus()
}

function press(selector) {
  const found = document.querySelector(selector)
  if (!found) return
  if (found.matches('a, button')) found.click()
  else if (found.matches('summary')) {
    found.focus()
    if (!found.parentElement.open) found.click()
  } else found.focus()
}

function act(action) {
  const row = document.activeElement.closest?.('[data-cf-row]')
  const door = row ? row.querySelector(`[data-cf-act="${action}"]`) : document.querySelector(`main .cf-order a[href$="/${action}"]`)
  if (door) return door.click()
  const form = row ? null : document.querySelector(`main .cf-order form[action$="/${action}"]`)
  form?.requestSubmit()
}

document.addEventListener('keydown', (event) => {
  const { key, target } = event
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(target) || switchedOff()) return
  const led = Date.now() - waiting < 1500
  waiting = 0
  if (led && places[key]) location.assign(places[key])
  else if (key === 'g') waiting = Date.now()
  else if (key === '/') search()
  else if (key === '?') press('a[href="/portal/keys"]')
  else if (key === 'j' || key === 'k') walk(key === 'j' ? 1 : -1)
  else if (actions[key]) act(actions[key])
  else if ('nist[]'.includes(key)) press(`[data-cf-key="${key}"]`)
  else return
  event.preventDefault()
})

function search() {
  const field = document.getElementById('q')
  if (!field) return location.assign('/portal/orders/all#q')
  field.focus()
  field.select()
}
if (location.hash === '#q') addEventListener('DOMContentLoaded', search)

document.addEventListener('htmx:after:swap', () => {
  for (const box of document.querySelectorAll('[data-cf-letters]')) box.checked = !switchedOff()
})
document.addEventListener('change', ({ target }) => {
  if (target.matches?.('[data-cf-letters]')) localStorage.setItem('cf-letters', target.checked ? 'on' : 'off')
})
document.addEventListener('DOMContentLoaded', () => {
  for (const box of document.querySelectorAll('[data-cf-letters]')) box.checked = !switchedOff()
})
