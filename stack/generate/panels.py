"""Panels in one style, and dashboards of rows of them; the JSON is what grafana-foundation-sdk makes of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    piechart,
    prometheus,
    stat,
    table,
    tempo,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import (
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DataSourceRef,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="prometheus")
TEMPO = DataSourceRef(type_val="tempo", uid="tempo")
WIDTH = 24
HEIGHT = 8
THIRD = WIDTH // 3
_REF_IDS = "ABCDEFGH"

Panel: TypeAlias = timeseries.Panel | stat.Panel | piechart.Panel | bargauge.Panel | table.Panel


@dataclass(frozen=True)
class Query:
    """A PromQL expression; `{{label}}` in the legend is that label's value. `exemplar`: dots that open traces."""

    expr: str
    legend: str = ""
    exemplar: bool = False


def graph(title: str, about: str, unit: str, *queries: Query, stacked: bool = False) -> timeseries.Panel:
    """Return lines over time, or stacked areas."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(about)
        .datasource(PROMETHEUS)
        .unit(unit)
        .min(0)
        .span(THIRD)
        .height(HEIGHT)
        .draw_style(GraphDrawStyle.LINE)
        .line_width(1)
        .fill_opacity(20 if stacked else 0)
        .show_points(VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .show_legend(show_legend=True)
            .display_mode(LegendDisplayMode.TABLE)
            .placement(LegendPlacement.BOTTOM)
            .calcs(["lastNotNull", "max"])
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    return panel.targets(_targets(queries))


def number(title: str, about: str, unit: str, query: Query) -> stat.Panel:
    """Return one number, the newest."""
    return (
        stat.Panel()
        .title(title)
        .description(about)
        .datasource(PROMETHEUS)
        .unit(unit)
        .span(THIRD)
        .height(HEIGHT)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .targets(_targets([query]))
    )


def pie(title: str, about: str, unit: str, query: Query) -> piechart.Panel:
    """Return shares of a whole, of now."""
    return (
        piechart.Panel()
        .title(title)
        .description(about)
        .datasource(PROMETHEUS)
        .unit(unit)
        .span(THIRD)
        .height(HEIGHT)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .targets(_targets([query]))
    )


def ranking(title: str, about: str, unit: str, query: Query) -> bargauge.Panel:
    """Return bars, of now."""
    return (
        bargauge.Panel()
        .title(title)
        .description(about)
        .datasource(PROMETHEUS)
        .unit(unit)
        .min(0)
        .span(THIRD)
        .height(HEIGHT)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .targets(_targets([query]))
    )


def traces(title: str, about: str, traceql: str) -> table.Panel:
    """Return a list of traces, each of which opens as a timeline of its spans."""
    query = tempo.TempoQuery().datasource(TEMPO).query_type("traceql").query(traceql).limit(20).ref_id("A")
    return (
        table.Panel()
        .title(title)
        .description(about)
        .datasource(TEMPO)
        .span(WIDTH)
        .height(HEIGHT)
        .show_header(show_header=True)
        .targets([query])
    )


def variable(name: str, label_values: str) -> dashboard.QueryVariable:
    """Return a choice at the dashboard's top, filled by a `label_values(series, label)`; everything by default."""
    return (
        dashboard.QueryVariable(name)
        .label(name.capitalize())
        .datasource(PROMETHEUS)
        .query({"qryType": 1, "query": label_values, "refId": name})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(VariableOption(text=["All"], value=["$__all"]))
    )


def page(
    uid: str,
    title: str,
    about: str,
    variables: Sequence[dashboard.QueryVariable],
    rows: Sequence[tuple[str, Sequence[Panel]]],
) -> str:
    """Return a dashboard's JSON: rows of panels, from left to right, three abreast."""
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(about)
        .tags(["spansieve", "llm"])
        .editable()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .refresh("10s")
        .time("now-30m", "now")
        .timezone("browser")
        .annotations([])
    )
    for each in variables:
        made.with_variable(each)
    for name, panels in rows:
        made.with_row(dashboard.Row(name))
        for panel in panels:
            made.with_panel(panel)
    built = made.build()
    _number(built)
    return json.dumps(built, cls=JSONEncoder, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _number(built: Dashboard) -> None:
    for number_, panel in enumerate(built.panels or [], 1):
        panel.id_val = number_


def _targets(queries: Sequence[Query]) -> list[Builder[Dataquery]]:
    return [
        prometheus.Dataquery()
        .expr(query.expr)
        .legend_format(query.legend)
        .exemplar(query.exemplar)
        .range()
        .ref_id(ref_id)
        .datasource(PROMETHEUS)
        for ref_id, query in zip(_REF_IDS[: len(queries)], queries, strict=True)
    ]
