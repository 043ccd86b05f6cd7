// Live regions: polls rest while nobody looks, and never take away what somebody is typing.
import htmx from './htmx.js'

const restsAfter = 30 * 60 * 1000
let touched = Date.now()
const polls = (element) => element?.closest?.('[data-cf-poll]')

function askNow() {
  for (const element of document.querySelectorAll('[data-cf-poll]')) element.dispatchEvent(new CustomEvent('every'))
}

for (const kind of ['keydown', 'pointerdown']) {
  addEventListener(kind, () => {
    const rested = Date.now() - touched > restsAfter
    touched = Date.now()
    if (rested) askNow()
  }, { passive: true })
}
// Whoever comes back, to the tab, to the network or by the Back button, is told at once.
addEventListener('pageshow', (event) => { if (event.persisted) askNow() })
addEventListener('online', askNow)
document.addEventListener('visibilitychange', () => { if (!document.hidden) askNow() })

document.addEventListener('htmx:before:request', (event) => {
  const { ctx } = event.detail
  if (!polls(ctx.sourceElement) || ctx.sourceEvent?.type === 'click') return
  if (document.hidden || !navigator.onLine || Date.now() - touched > restsAfter) event.preventDefault()
})

// An answer to a poll, or to another region's form, must not replace a region where somebody works:
// the newest waits until it is asked for, or until the menu that is open there is closed.
const waiting = new Map()
const isField = (element) => element?.matches?.('input, textarea, select')
let focused = null

document.addEventListener('htmx:before:swap', ({ detail }) => {
  const { ctx, tasks } = detail
  const own = ctx.sourceElement?.closest?.('form')
  focused = null
  for (let at = tasks.length - 1; at >= 0; at -= 1) {
    const { target, type, fragment, swapSpec } = tasks[at]
    if (!(target instanceof Element)) continue
    const spared = type === 'main' && !polls(ctx.sourceElement)
    const busy = !spared && isBusy(target, own)
    if (!busy && (spared || !target.querySelector('details.cf-menu[open]'))) {
      waiting.delete(target.id)
      if (target.contains(document.activeElement)) focused = { region: target.id, mark: markOf(document.activeElement) }
      continue
    }
    tasks.splice(at, 1)
    if (target.id && swapSpec?.style === 'outerHTML') waiting.set(target.id, fragment)
    if (busy) offerNewer(target)
  }
})

function isBusy(region, own) {
  const typing = document.activeElement
  return [...region.querySelectorAll('[data-dirty]')].some((form) => form !== own)
    || (region.contains(typing) && isField(typing) && !(own && typing.form === own))
}

function offerNewer(region) {
  if (region.querySelector('[data-cf-newer]')) return
  const template = document.getElementById('tpl-newer')
  if (template) region.prepend(template.content.cloneNode(true))
}

// What was typed there goes along into the newer one.
function showNewer(region) {
  const fragment = waiting.get(region.id)
  if (!fragment) return location.reload()
  waiting.delete(region.id)
  const typed = [...region.querySelectorAll('[data-dirty]')].map((form) => [form.getAttribute('action'), [...new FormData(form)]])
  region.replaceWith(fragment)
  const newer = document.getElementById(region.id)
  if (!newer) return
  htmx.process(newer)
  for (const [action, pairs] of typed) {
    const form = [...newer.querySelectorAll('form')].find((one) => one.getAttribute('action') === action)
    if (form) retype(form, pairs)
  }
  newer.tabIndex = -1
  newer.focus()
}

function retype(form, pairs) {
  form.dataset.dirty = '1'
  for (const [name, value] of pairs) {
    for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (field.type === 'radio' || field.type === 'checkbox') field.checked = field.value === value || field.checked
      else if (field.type !== 'hidden') field.value = value
    }
  }
}

document.addEventListener('click', ({ target }) => {
  const asked = target.closest?.('[data-cf-newer]')
  if (asked) showNewer([...waiting.keys()].map((id) => document.getElementById(id)).find((one) => one?.contains(asked)) ?? asked)
  target.closest?.('[data-cf-hide]')?.closest('.cf-news')?.remove()
})

document.addEventListener('toggle', ({ target }) => {
  if (target.open || !target.matches?.('details.cf-menu')) return
  for (const id of [...waiting.keys()]) {
    const region = document.getElementById(id)
    if (region?.contains(target) && !isBusy(region)) showQuietly(region)
  }
}, true)

function showQuietly(region) {
  const fragment = waiting.get(region.id)
  waiting.delete(region.id)
  region.replaceWith(fragment)
  const newer = document.getElementById(region.id)
  if (newer) htmx.process(newer)
}

// A button that had the focus has it again in the region that came in its place.
const markOf = (element) => [element.tagName, element.getAttribute('href') ?? element.form?.getAttribute('action'), element.textContent.trim()].join(' ')

document.addEventListener('htmx:after:swap', () => {
  if (!focused || document.activeElement !== document.body) return
  const { region, mark } = focused
  focused = null
  const places = document.getElementById(region)?.querySelectorAll('a, button, summary, [tabindex]') ?? []
  for (const one of places) if (markOf(one) === mark) return one.focus({ preventScroll: true })
})
