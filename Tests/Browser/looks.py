"""What is checked, and what is wrong with the looks of a page."""
import importlib.util
import pathlib


def check(is_so, what):
    print(f"{'ok  ' if is_so else 'FAIL'} {what}", flush=True)
    if not is_so:
        raise SystemExit(1)


def looks(browser, pictures, name):
    """Screens of a desk, of a wall, and of a phone."""
    for width, height in [(1400, 900), (1920, 1080), (390, 844)]:
        browser.size(width, height)
        browser.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        wrong = clipped(browser) + violations(browser) + unreadable(browser)
        browser.picture(pictures / f"{name}-{width}.png", whole=True)
        check(wrong == [], f"{name} at {width} x {height}: all of it fits and can be read, and axe-core finds nothing {wrong}")
    browser.size(1440, 900)


def unreadable(browser):
    """Text whose contrast with what lies below it is too low, after WCAG 2."""
    return browser.run("""(() => {
        const parse = text => text.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
        const ground = element => {
            for (let at = element; at; at = at.parentElement) {
                const colour = parse(getComputedStyle(at).backgroundColor);
                if (colour.length < 4 || colour[3] === 1) return colour;
            }
            return [255, 255, 255];
        };
        const found = [];
        for (const element of document.querySelectorAll('body *')) {
            const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
            if (!own || !element.offsetParent || element.closest('svg') || element.closest('.skip')) continue;
            const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
            const size = parseFloat(getComputedStyle(element).fontSize), bold = Number(getComputedStyle(element).fontWeight) >= 700;
            const needed = size >= 24 || bold && size >= 18.6 ? 3 : 4.5;
            if ((a + .05) / (b + .05) < needed) found.push(`${element.tagName} ${element.className} "${element.textContent.trim().slice(0, 20)}" ${((a + .05) / (b + .05)).toFixed(2)}`);
        }
        return [...new Set(found)];
    })()""")


def clipped(browser):
    """What does not fit: a page that is too wide, text that is cut off, and names in a chart that lie over each other."""
    return browser.run("""(() => {
        const found = [];
        if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} wide of ${innerWidth}`);
        for (const element of document.querySelectorAll('body *')) {
            if (!element.getClientRects().length || element.closest('svg')) continue;
            const style = getComputedStyle(element);
            const isCut = style.clipPath === 'none' && style.overflowX === 'hidden' && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1;
            if (isCut && element.textContent.trim()) found.push(`cut: ${element.tagName} ${element.className} "${element.textContent.trim().slice(0, 30)}"`);
        }
        for (const chart of document.querySelectorAll('#series svg')) {
            const names = [...chart.querySelectorAll('text')].map(name => [name.textContent, name.getBoundingClientRect()]);
            names.forEach(([text, a], index) => names.slice(index + 1).forEach(([other, b]) => {
                if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2) found.push(`"${text}" lies over "${other}"`);
            }));
        }
        return found;
    })()""")


def violations(browser):
    """What axe-core finds."""
    folder = importlib.util.find_spec("axe_playwright_python").submodule_search_locations[0]
    browser.run((pathlib.Path(folder) / "axe.min.js").read_text() + "; 0")
    return browser.run("""axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations.map(violation =>
        `${violation.id}: ${violation.nodes.slice(0, 3).map(node => node.target.join(' ')).join(', ')}`))""")
