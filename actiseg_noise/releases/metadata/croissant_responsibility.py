"""What ``croissant.json`` says about responsible use (RAI) and provenance (PROV)."""

from __future__ import annotations

from typing import Any

from actiseg_noise.releases.contents.release_contents import ReleaseContents
from actiseg_noise.releases.metadata.cited_works import list_cited_works
from actiseg_noise.releases.metadata.noise_statements import describe_noises
from actiseg_noise.releases.metadata.release_statements import (
    describe_maintenance,
    list_handled,
    list_missing,
)
from actiseg_noise.releases.metadata.source_statements import (
    describe_annotators,
    describe_clean_source,
    describe_demographics,
    describe_persons,
    list_toolkits,
    name_source,
)
from actiseg_noise.releases.metadata.use_statements import (
    describe_key,
    describe_social_impact,
    list_biases,
    list_limits,
    list_misuses,
    list_protocol,
    list_uses,
)

_NOISE = "Noise was applied to a copy."
_OVERLAPS = " If masks changed, overlaps were resolved."
_ROWS = "Each object in {place} that has pixels before or after the noise became a row."


def describe_rai(contents: ReleaseContents) -> dict[str, Any]:
    """Describe a release in the RAI vocabulary of Croissant."""
    changes = [
        f"{entry.name}: {sentence}."
        for entry in contents.configurations
        for sentence in describe_noises(entry)
    ]
    protocol = " ".join(changes)
    kind = contents.kind
    place = kind.place
    return {
        "rai:dataCollection": (
            "No data were collected for this release. Its labels are those of "
            f"{name_source(contents)}, {_name_changes(contents)}."
        ),
        "rai:dataCollectionType": "Secondary Data Analysis",
        "rai:dataCollectionMissingData": " ".join(list_missing(contents)) or None,
        "rai:dataCollectionRawData": " ".join(describe_clean_source(contents)),
        "rai:hasSyntheticData": _has_synthetic_data(contents),
        "rai:dataManipulationProtocol": protocol,
        "rai:dataPreprocessingProtocol": [
            _describe_preparation(contents),
            *([_NOISE + _OVERLAPS * (not kind.has_layers)] if contents.own else []),
            *([_ROWS.format(place=place)] if contents.data != "none" else []),
            *(f"Special cases of {line}" for line in list_handled(contents)),
        ],
        "rai:dataAnnotationProtocol": describe_annotators(contents),
        "rai:annotationsPerItem": "One clean label of the source, and one noisy label.",
        "rai:annotatorDemographics": describe_demographics(contents),
        "rai:dataAnnotationAnalysis": [
            describe_key(contents),
            "No person reviewed the changes. statistics.csv has their rates and strengths.",
        ],
        "rai:machineAnnotationTools": list_toolkits(contents) or ["actiseg"],
        "rai:dataBiases": list_biases(contents),
        "rai:dataLimitations": list_limits(contents),
        "rai:dataUseCases": [
            *(f"Meant for: {use}" for use in list_uses(contents)),
            *(f"Evaluation protocol: {step}" for step in list_protocol(contents)),
            *(f"Not fit for: {misuse}" for misuse in list_misuses(contents)),
        ],
        "rai:dataSocialImpact": describe_social_impact(contents),
        "rai:personalSensitiveInformation": [describe_persons(contents)],
        "rai:dataReleaseMaintenancePlan": describe_maintenance(contents),
    }


def _describe_preparation(contents: ReleaseContents) -> str:
    """Say how the clean dataset got its layout."""
    layout = contents.kind.layout.name
    if contents.kind.has_actions:
        return f"The clean dataset was prepared in the layout of {layout}; NOTICE says how."
    return f"The clean dataset was used as it is, in the layout of {layout}."


def _name_changes(contents: ReleaseContents) -> str:
    """Name who changed the labels."""
    makers = ["changed by a program"] if contents.own else []
    return " or ".join(makers + ["with the differences of another copy"] * bool(contents.imported))


def _has_synthetic_data(contents: ReleaseContents) -> bool | None:
    """Return whether labels or frames are synthetic; None if only other generators know."""
    source = contents.source
    return True if contents.own or source.synthetic or source.rendered else None


def describe_provenance(contents: ReleaseContents) -> dict[str, Any]:
    """Describe where a release comes from, in the vocabulary of PROV-O."""
    fingerprints = dict.fromkeys(
        (entry.split.recipe.split, str(entry.documents.summary.get("dataset_fingerprint", "")))
        for entry in contents.configurations
    )
    sources: list[dict[str, Any]] = [
        {
            "@type": "prov:Entity",
            "@id": f"urn:actiseg:dataset:{fingerprint}",
            "prov:label": f"{name_source(contents)}, split {split}, fingerprint {fingerprint}",
        }
        for split, fingerprint in fingerprints
    ]
    sources += [
        {
            "@type": "prov:Entity",
            "@id": f"urn:actiseg:differences:{noise.parameters['differences']}",
            "prov:label": f"{noise.medium} of the noisy copy {entry.origin!r}",
        }
        for entry in contents.imported
        for noise in entry.split.recipe.noises
    ]
    sources += [
        {"@type": "prov:Entity", "@id": work.url, "prov:label": work.title}
        for work in list_cited_works(contents)
    ]
    sources += [
        {
            "@type": "prov:Entity",
            "@id": f"urn:sha256:{file.sha256}",
            "prov:label": f"{file.name} ({file.role} of {split})",
        }
        for split, files in contents.source.inputs.items()
        for file in files
    ]
    return {
        "prov:wasDerivedFrom": sources,
        "prov:wasGeneratedBy": [
            {
                "@type": "prov:Activity",
                "@id": f"urn:actiseg:recipe:{entry.split.recipe.digest}",
                "prov:label": f"Noise of {entry.name}: {'; '.join(describe_noises(entry))}. "
                f"Recipe {entry.split.recipe.digest}.",
                "prov:wasAssociatedWith": {
                    "@type": "prov:SoftwareAgent",
                    "prov:label": str(entry.documents.summary.get("toolkit", "actiseg")),
                },
            }
            for entry in contents.configurations
        ],
    }
