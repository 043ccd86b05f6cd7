// The page's one polite voice: what a screen reader is told without the focus moving.

export function say(text) {
  const live = document.getElementById('live')
  if (!live || !text) return
  live.textContent = ''
  setTimeout(() => { live.textContent = text }, 50)
}
