// Live regions: polls rest while nobody looks, and never take away what somebody is typing.

const restsAfter = 30 * 60 * 1000
let touched = Date.now()
for (const kind of ['keydown', 'pointerdown']) addEventListener(kind, () => { touched = Date.now() }, { passive: true })

const polls = (element) => element?.closest?.('[data-cf-poll]')

document.addEventListener('htmx:before:request', (event) => {
  const { ctx } = event.detail
  if (!polls(ctx.sourceElement) || ctx.sourceEvent?.type === 'click') return
  if (document.hidden || !navigator.onLine || Date.now() - touched > restsAfter) event.preventDefault()
})

// An answer to a poll, or to another region's form, must not replace a region where somebody works.
document.addEventListener('htmx:before:swap', ({ detail }) => {
  const { ctx, tasks } = detail
  const own = ctx.sourceElement?.closest?.('form')
  for (let at = tasks.length - 1; at >= 0; at -= 1) {
    const { target, type } = tasks[at]
    if (!(target instanceof Element) || (type === 'main' && !polls(ctx.sourceElement))) continue
    const dirty = [...target.querySelectorAll('[data-dirty]')].some((form) => form !== own)
    const focused = target.contains(document.activeElement) && document.activeElement.matches('input, textarea, select')
    if (!dirty && !(focused && document.activeElement.form !== own)) continue
    tasks.splice(at, 1)
    offerNewer(target)
  }
})

function offerNewer(region) {
  if (region.querySelector('[data-cf-newer]')) return
  const template = document.getElementById('tpl-newer')
  if (template) region.prepend(template.content.cloneNode(true))
}

document.addEventListener('click', ({ target }) => {
  if (!target.closest?.('[data-cf-newer]')) return
  for (const form of document.querySelectorAll('[data-dirty]')) delete form.dataset.dirty
  location.reload()
})

// A page that comes back from the browser's own cache asks at once.
addEventListener('pageshow', (event) => {
  if (!event.persisted) return
  for (const element of document.querySelectorAll('[data-cf-poll]')) element.dispatchEvent(new CustomEvent('every'))
})
