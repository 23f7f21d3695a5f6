"""The page and the charts of what was measured: all of it is there, to scale, and always the same.
"""

from __future__ import absolute_import, division, print_function

import copy
import io
import json
import os
import re
from xml.etree import ElementTree

import pytest

from benchmarks import figures, subjects
from benchmarks.publish import __main__ as command
from benchmarks.publish import bars, charts, lines, page, results, tables, who, wording

SVG = "{http://www.w3.org/2000/svg}"
NASTY = u'<b> & "c" \u00b5 *d* _e_ `f` |g| h\\'
MACHINE = {"processor": "P", "cores": 2, "system": "Linux-6.1.2-build-x86_64-with-glibc2.36",
           "python": "3.11.7", "gevent": "1", "clusterclient_sync": "2", "date": "2024-05-06",
           "npm": {"cluster-client": "3.7.0", "node": "v20"}, "peers": {"rpyc": "rpyc==6.0.2"}}


def calls(cluster=(90.0, 110.0, 100.0), **more):
    rows = [figures.row("cluster", "cluster", list(cluster)),
            figures.row("npm", "npm", [50.0, 60.0, 40.0]),
            figures.row("echo", NASTY, [200.0, 210.0, 220.0])]
    return figures.figure("calls", "calls", "/s", rows, "cluster", **more)


def growing(key):
    rows = [figures.row(str(count), "%d followers" % count, [value, value * 1.5])
            for count, value in ((1, 8.0), (10, 2.0), (100, 4.0))]
    return figures.figure(key, "CPU", "us", rows, "10", ratio=figures.ROW_OVER_BASE,
                          more_is_better=False, digits=2)


def document(*summaries, **more):
    return dict({"machine": MACHINE, "benchmarks": list(summaries), "failed": {}, "left_out": []},
                **more)


def fan_in(**how):
    return figures.summary("fan_in", "several call", {"greenlets": 16, "processes": 8},
                           [calls(**how)])


def flat():
    return figures.summary("fan_out_flat", "more and more", {"followers": [1, 10, 100]},
                           [growing("cpu_per_delivery")])


@pytest.fixture
def files():
    return command.published([document(fan_in(), flat(), left_out=["grpc is left out: no wheel"])])


def drawing(markup):
    """The elements of a panel."""
    return ElementTree.fromstring((u"<svg>%s</svg>" % markup).encode("utf-8"))


def numbers(element, *names):
    return [float(element.get(name)) for name in names]


# -- results

def test_what_is_kept_is_read_as_what_it_was_made_of():
    whole = document(fan_in(), flat(), failed={"idle": "why\nand where"})
    kept = results.joined([whole])
    again = json.loads(results.as_text(kept))
    assert again == kept and results.joined(again["documents"]) == kept
    measured = results.Measured(kept)
    assert measured.summaries["fan_in"] == fan_in() and measured.summaries["fan_out_flat"] == flat()
    assert measured.runs == [(dict(MACHINE, system="Linux-6.1.2"), ["fan_in", "fan_out_flat"])]
    assert measured.missing == ["idle failed: why"]
    assert measured.figure("fan_in", "absent") is measured.figure("absent", "calls") is None


def test_six_digits_of_a_value_are_kept_and_whole_numbers_are():
    told = figures.summary("start", "", {}, [figures.figure("left", "", "", [
        figures.row("a", "a", [123456.789, 0.000123456789, 1234567])], None)])
    row, = results.joined([document(told)])["documents"][0]["benchmarks"][0]["figures"][0]["rows"]
    assert row == {"name": "a", "title": "a", "rounds": [123457.0, 0.000123457, 1234567]}


def test_of_several_files_the_last_one_counts():
    other = dict(MACHINE, python="3.13.0")
    first = document(
        fan_in(), flat(), failed={"start": "broken", "idle": "broken"},
        left_out=["python2 is left out: why", "npm is left out: why"])
    last = document(fan_in(cluster=[1.0, 2.0, 3.0]),
                    figures.summary("start", "", {}, [calls()]), machine=other)
    measured = results.Measured(results.joined([first, document(fan_in()), last]))
    assert [names for _, names in measured.runs] == [["fan_out_flat"], ["fan_in", "start"]]
    assert [machine["python"] for machine, _ in measured.runs] == ["3.11.7", "3.13.0"]
    assert measured.figure("fan_in", "calls")["rows"][0]["median"] == 2.0
    assert measured.missing == ["python2 is left out: why", "idle failed: broken"]


def test_lines_of_json_are_short_and_whole():
    value = {"a": list(range(60)), "b": {"c": "d"}, "e": [{"f": "g" * 60, "h": "i" * 60}], "j": []}
    text = results.as_text(value)
    assert json.loads(text) == value
    assert max(len(line) for line in text.splitlines()) <= 100
    assert text.splitlines()[-3:] == [u' ],', u' "j": []', u'}']


@pytest.mark.parametrize("content", [u"no JSON", u"[]", u"{}", u'{"documents": [{}]}'])
def test_a_file_without_results_is_refused_by_name(tmpdir, capsys, content):
    path = tmpdir.join("other.json")
    path.write(content)
    with pytest.raises(SystemExit) as ended:
        command.main([str(path), "--into", str(tmpdir)])
    assert ended.value.code == 2 and "other.json" in capsys.readouterr()[1]
    assert tmpdir.listdir() == [path]


# -- charts

def test_charts_are_well_formed_and_have_every_row(files):
    overview, shapes = [ElementTree.fromstring(files[name]) for name in charts.FILES]
    assert {NASTY, "cluster", "npm", "100", "50", "210"} <= texts(overview)
    assert "Fan-in: 8 followers with 16 greenlets each" in texts(overview)
    assert {"1", "10", "100", "followers", "every value to all of them"} <= texts(shapes)
    for root in (overview, shapes):
        assert root.tag == SVG + "svg"
        width, height = numbers(root, "width", "height")
        assert [float(part) for part in root.get("viewBox").split()] == [0, 0, width, height]
        background = root.find(SVG + "rect")
        assert background.get("fill") == "#ffffff"
        title, description = root.find(SVG + "title"), root.find(SVG + "desc")
        assert root.get("aria-labelledby") == "title desc"
        assert (title.get("id"), description.get("id")) == ("title", "desc") and title.text
    assert NASTY + " 210" in overview.find(SVG + "desc").text
    assert "100 followers 5.00" in shapes.find(SVG + "desc").text


def texts(root):
    return {element.text for element in root.iter(SVG + "text")}


def test_charts_are_ascii_and_so_the_same_in_every_encoding(files):
    for name in charts.FILES:
        assert files[name].encode("ascii")


def test_what_was_not_measured_is_not_drawn():
    files = command.published([document(figures.summary("start", "", {}, [calls()]))])
    for name in charts.FILES:
        assert "None of this was measured." in texts(ElementTree.fromstring(files[name]))
    chart = ElementTree.fromstring(command.published([document(fan_in())])["benchmarks.svg"])
    assert not any("Concurrent" in text for text in texts(chart))


@pytest.mark.parametrize("more_is_better, titles", [
    (True, [NASTY, "cluster", "npm"]), (False, ["npm", "cluster", NASTY])])
def test_the_best_bar_is_on_top_and_ours_stands_out(more_is_better, titles):
    figure = calls(more_is_better=more_is_better)
    rows = drawing(bars.drawn(figure, "Title", "/s")).findall("g")
    assert [row.find("text").text for row in rows] == titles
    heights = [float(re.findall(r"[\d.]+", row.get("transform"))[1]) for row in rows]
    assert heights == sorted(heights) and heights[-1] < bars.height(figure)
    colours = {row.find("text").text: row.find("rect").get("fill") for row in rows}
    assert len(set(colours.values())) == 3 and colours["cluster"] == bars.COLOURS[who.OURS]
    weights = {row.find("text").text: row.find("text").get("font-weight") for row in rows}
    assert weights == {"cluster": "600", "npm": None, NASTY: None}


def test_bars_and_whiskers_are_to_scale():
    room = bars.BARS_TO - bars.BARS_FROM
    told = {"cluster": (90, 100, 110), "npm": (40, 50, 60), NASTY: (200, 210, 220)}
    for row in drawing(bars.drawn(calls(), "Title", "/s")).findall("g"):
        low, middle, high = [value * room / 220.0 for value in told[row.find("text").text]]
        x, width = numbers(row.find("rect"), "x", "width")
        whisker, left, right = row.findall("line")
        assert (x, width) == (bars.BARS_FROM, pytest.approx(middle, abs=0.06))
        ends = [bars.BARS_FROM + low, bars.BARS_FROM + high]
        assert numbers(whisker, "x1", "x2") == pytest.approx(ends, abs=0.06)
        for end, place in zip((left, right), ends):
            assert numbers(end, "x1", "x2") == pytest.approx([place, place], abs=0.06)
    assert bars.scale(figures.figure("k", "", "", [figures.row("a", "A", [0])], None)) == 0


def test_lines_and_whiskers_are_to_scale():
    first, second = growing("a"), growing("b")
    series = [("one", first), ("two", dict(second, rows=second["rows"][:2]))]
    plot = drawing(lines.drawn(series, "Title", "us", "followers")).find("g")
    names = [text.text for text in plot.findall("text")]
    assert names == ["0", "5", "10", "15", "1", "10", "100", "followers"]
    grid = [numbers(line, "y1") for line in plot.findall("line")[:4]]
    assert grid == [[lines.PLOT], [100], [50], [0]]
    points = [[tuple(map(float, point.split(","))) for point in line.get("points").split()]
              for line in plot.findall("polyline")]
    # Medians of 10, 2.5 and 5, where the grid goes to 15.
    assert [y for _, y in points[0]] == pytest.approx(
        [lines.PLOT * (1 - value / 15.0) for value in (10, 2.5, 5)], abs=0.06)
    assert points[1] == points[0][:2]
    across = [x for x, _ in points[0]]
    third = (lines.RIGHT - lines.LEFT) / 3.0
    assert across == pytest.approx([lines.LEFT + third * place for place in (0.5, 1.5, 2.5)],
                                   abs=0.06)
    stem, low, high = plot.findall("line")[4:7]
    assert numbers(stem, "y1", "y2") == pytest.approx(
        [lines.PLOT * (1 - value / 15.0) for value in (8, 12)], abs=0.06)
    assert numbers(low, "y1") + numbers(high, "y1") == numbers(stem, "y1", "y2")


def test_lines_begin_where_the_panel_wants_it_or_where_there_is_something():
    panel = charts.Lines("fan_out_flat", [("cpu_per_delivery", "one of %(followers)s")], "", "",
                         "followers", begin=1)
    measured = results.Measured(results.joined([document(flat())]))
    assert "one of [1, 10, 100]: 10 followers 2.50, 100 followers 5.00" in panel.panel(measured)[2]
    measured.figure("fan_out_flat", "cpu_per_delivery")["rows"][1:] = []
    assert ": 1 followers 10.00" in panel.panel(measured)[2]


@pytest.mark.parametrize("most, step", [
    (0, 1), (4, 1), (4.1, 2), (9, 2.5), (15, 5), (20, 5), (39, 10), (0.04, 0.01), (1000, 250)])
def test_a_grid_has_round_numbers(most, step):
    assert lines.step(most) == pytest.approx(step)


@pytest.mark.parametrize("rounds, labels", [
    ([10.0], ["0.0", "2.5", "5.0", "7.5", "10.0"]), ([0.0], ["0", "1"]),
    ([0.05], ["0.00", "0.02", "0.04", "0.06"])])
def test_a_grid_is_named_with_as_many_digits_as_it_needs(rounds, labels):
    figure = figures.figure("k", "", "", [figures.row("1", "1 KiB", rounds)], None)
    plot = drawing(lines.drawn([("", figure)], "", "", "size")).find("g")
    assert [text.text for text in plot.findall("text")] == labels + ["1 KiB", "size"]


# -- the page

def test_the_page_has_every_value_and_ratio(files):
    text = files[command.PAGE]
    rows = [" ".join(line.split()) for line in text.splitlines()]
    for row in ("cluster 100 90 to 110", "npm 50 40 to 60 1.83 (1.80 to 2.50)",
                "1 followers 10.00 8.00 to 12.00 4.00 (4.00 to 4.00)",
                "10 followers 2.50 2.00 to 3.00"):
        assert rows.count(row) == 1
    assert "this / 10 followers\n" in text and "cluster / this\n" in text
    assert "Run with greenlets 16, processes 8." in text
    assert "**calls** (/s, more is better)" in text and "**CPU** (us, less is better)" in text
    assert "- grpc is left out: no wheel" in text
    for told in ("Linux-6.1.2\n", "3.11.7", "2024-05-06", "3.7.0", "v20", "rpyc==6.0.2"):
        assert told in text
    assert text.startswith('.. Made by "python -m benchmarks.publish"')
    for name in charts.FILES:
        assert ".. image:: %s\n" % name in text


def test_a_figure_with_two_bases_has_two_columns_of_ratios():
    text = command.published([document(fan_in(also="npm"))])[command.PAGE]
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert "what median spread cluster / this npm / this" in rows
    assert "cluster 100 90 to 110 0.55 (0.40 to 0.56)" in rows
    assert "npm 50 40 to 60 1.83 (1.80 to 2.50)" in rows


def test_each_run_tells_its_machine():
    text = command.published([document(fan_in()), document(
        flat(), machine=dict(MACHINE, processor="Q"))])[command.PAGE]
    first, second = text.index("Of ``fan_in``:"), text.index("Of ``fan_out_flat``:")
    assert first < text.index("processor            P") < second
    assert second < text.index("processor            Q")


def test_titles_and_tables_have_the_form_that_they_need(files):
    lines_ = files[command.PAGE].splitlines()
    titles = [number for number, line in enumerate(lines_) if re.match("=+$", line)]
    over, titles = titles[0], titles[1:]
    assert lines_[over] == lines_[over + 2] and len(titles) == 7
    for number in titles:
        assert len(lines_[number]) == len(lines_[number - 1])
        assert not lines_[number + 1] and lines_[number - 2] in ("", lines_[over])
    borders = [number for number, line in enumerate(lines_) if re.match("=+( =+)+$", line)]
    assert len(borders) % 3 == 0 and len(borders) >= 12
    for top, head, bottom in zip(*[iter(borders)] * 3):
        assert head == top + 2 and lines_[top] == lines_[head] == lines_[bottom]
        assert not lines_[top - 1] and not lines_[bottom + 1]
        gaps = [place for place, sign in enumerate(lines_[top]) if sign == " "]
        for line in lines_[top + 1:head] + lines_[head + 1:bottom]:
            assert len(line) <= len(lines_[top]) and line[:1].strip()
            assert all(line[gap:gap + 1] in ("", " ") for gap in gaps)


def test_text_is_no_markup():
    assert tables.escaped(NASTY) == (
        u'<b> & "c" \u00b5 \\*d\\* _e\\_ \\`f\\` \\|g\\| h\\\\')
    assert tables.escaped("cluster_speed on x86_64") == "cluster_speed on x86_64"


def test_numbers_in_words():
    assert wording.number(1234567.891, 1) == "1,234,567.9"
    assert wording.ratio(None) == ""
    assert wording.ratio({"median": 0.01234, "min": 0.01, "max": 1}) == "0.0123 (0.0100 to 1.0000)"
    assert wording.settings({"seconds": 0.1, "sizes": [1024, 2], "at_once": 10000, "x": u"y"}) == (
        "at once 10,000, seconds 0.1, sizes 1,024 / 2, x y")


def test_every_subject_is_said_in_words():
    for one in subjects.SUBJECTS:
        assert who.about(one.name)
    assert [who.kind(name) for name in ("cluster_speed", "npm_json", "ping_pong")] == [
        who.OURS, who.OTHER, who.YARDSTICK]


# -- the command

def shuffled(value):
    """The same with the members of its dicts in another order."""
    if isinstance(value, dict):
        return {name: shuffled(value[name]) for name in sorted(value, reverse=True)}
    return [shuffled(one) for one in value] if isinstance(value, list) else copy.copy(value)


def test_the_same_results_make_the_same_files(files):
    told = document(fan_in(), flat(), left_out=["grpc is left out: no wheel"])
    assert command.published([shuffled(told)]) == files


def test_the_command_writes_all_and_makes_it_again_of_what_it_kept(tmpdir, capsys, files):
    source, docs = tmpdir.join("told.json"), tmpdir.join("docs")
    told = document(fan_in(), flat(), left_out=["grpc is left out: no wheel"])
    source.write(json.dumps(told))
    assert command.main([str(source), "--into", str(docs)]) == 0
    assert written(str(docs)) == files
    assert sorted(capsys.readouterr()[0].splitlines()) == sorted(
        os.path.join(str(docs), *name.split("/")) for name in files)
    docs.join(command.PAGE).remove()
    assert command.main(["--into", str(docs)]) == 0
    assert written(str(docs)) == files


def written(folder):
    found = {}
    for name in [command.KEPT, command.PAGE] + list(charts.FILES):
        with io.open(os.path.join(folder, *name.split("/")), encoding="utf-8", newline="") as one:
            found[name] = one.read()
    return found


def test_the_documentation_is_made_of_the_results_beside_it():
    kept = results.read(os.path.join(command.DOCS, *command.KEPT.split("/")))
    assert written(command.DOCS) == command.published(kept), "run python -m benchmarks.publish"


def test_every_panel_shows_something_of_the_documentation_s_results():
    measured = results.Measured(results.joined(
        results.read(os.path.join(command.DOCS, *command.KEPT.split("/")))))
    missing = [where for panel in charts.OVERVIEW + charts.SHAPES for where in panel.where
               if measured.figure(*where) is None]
    assert not missing
    assert page.made(measured, list(charts.FILES)).count("\n   :alt: ") == 2
