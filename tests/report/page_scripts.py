"""What the tests ask the browser, in JavaScript; the report itself has no scripts."""

from __future__ import annotations

COMMON = """
const root = document.documentElement;
const shown = element => {
  const box = element.getBoundingClientRect(), style = getComputedStyle(element);
  return box.width > 1 && box.height > 1 && style.visibility === 'visible' && element.checkVisibility();
};
const numbers = colour => colour.match(/[0-9.]+/g).map(Number);
const background = element => {
  for (let place = element; place; place = place.parentElement) {
    const parts = numbers(getComputedStyle(place).backgroundColor);
    if (parts.length === 3 || parts[3] === 1) return parts.slice(0, 3);
    if (parts[3] !== 0) throw new Error('half transparent background');
  }
  return [255, 255, 255];
};
const light = parts => {
  const linear = parts.map(part => part / 255).map(
    part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
const contrast = (one, other) => {
  const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
const named = element => {
  const words = element.textContent.trim().slice(0, 40);
  return `${element.tagName}.${element.getAttribute('class') || ''} ${words}`;
};
"""


def asked(body: str) -> str:
    """An expression: what ``return`` in the body gives."""
    return f"(() => {{ {COMMON} {body} }})()"


OPEN_ALL = asked("document.querySelectorAll('details').forEach(one => one.open = true); return true;")

OVERFLOW = asked("""
  const wide = [];
  for (const element of document.body.querySelectorAll('*')) {
    if (element.closest('.scroll table, .hidden, .skip, pre, svg')) continue;
    const box = element.getBoundingClientRect();
    if (shown(element) && (box.right > innerWidth + 0.5 || box.left < -0.5)) wide.push(named(element));
  }
  return {page: root.scrollWidth, window: innerWidth, wide};
""")

# Every piece of text that is seen, with its contrast and what WCAG AA asks of its size.
TEXT_CONTRAST = asked("""
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !shown(element) || element.closest('svg, style, .hidden')) continue;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight) >= 700);
    const parts = numbers(style.color);
    if (parts.length > 3 && parts[3] !== 1) throw new Error('half transparent text');
    found.push([contrast(parts.slice(0, 3), background(element)), large ? 3 : 4.5, named(element)]);
  }
  return found;
""")

# Bars and pieces of drawings against what lies behind them.
SHAPE_CONTRAST = asked("""
  const found = [];
  const bars = '.swatch[class*=" c"], .bar > span, .well > span, .stack > span[class^=c]';
  for (const element of document.querySelectorAll(bars)) {
    const own = numbers(getComputedStyle(element).backgroundColor).slice(0, 3);
    found.push([contrast(own, background(element.parentElement)), 3, named(element)]);
  }
  for (const element of document.querySelectorAll('svg rect[class^=c]')) {
    const own = numbers(getComputedStyle(element).fill).slice(0, 3);
    found.push([contrast(own, background(element.closest('svg'))), 3, named(element)]);
  }
  return found;
""")

FOCUSABLE = asked("""
  const all = document.querySelectorAll('a[href], summary, [tabindex="0"]');
  return [...all].filter(one => shown(one) || one.matches('.skip')).map(named);
""")

FOCUSED = asked("""
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  return {
    name: named(one), body: one === document.body, outline: parseFloat(style.outlineWidth), style: style.outlineStyle,
    seen: box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight,
    contrast: contrast(numbers(style.outlineColor).slice(0, 3), background(one.parentElement)),
  };
""")
