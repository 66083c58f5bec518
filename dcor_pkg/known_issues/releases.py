"""Issues of the Python environment that CKAN runs from, and of changing it."""

from __future__ import annotations

from dcor_pkg.known_issues.entry import WITH_PACKAGE, WITH_UPSTREAM, Entry, Place, Sign, Text

ENTRIES = (
    Entry(
        name="theme_half_patched",
        symptom="pages say 'Organizations' again after an upgrade, and dcor inspect finds nothing to do",
        package="dcor_control",
        since="0.7.5",
        until="",
        cause=Text(
            "dcor inspect takes two values in ckan.ini as the proof that the theme is complete, and the theme's files are "
            "in CKAN's own package, which an upgrade replaces.",
            "dcor inspect hält das Thema für vollständig, wenn zwei Werte in ckan.ini stehen; seine Dateien liegen aber in "
            "CKANs Paket, das ein Upgrade ersetzt.",
        ),
        cost=Text(
            "After an upgrade words, templates and style are partly CKAN's.",
            "Nach einem Upgrade sind Wörter, Vorlagen und Aussehen zum Teil die von CKAN.",
        ),
        found=Text("A release has no record of its files.", "Ein Release hat kein Verzeichnis seiner Dateien."),
        cure=Text(
            "The theme is part of each release: it is made whole, and proven before it serves.",
            "Das Thema ist Teil jedes Release, das als Ganzes gebaut und geprüft wird, bevor es dient.",
        ),
        undone=WITH_PACKAGE,
        place=Place.RELEASE,
        where="dcor_runtime/theme.py",
        test="tests/system/test_issues_reproduced.py::test_a_fault_of_the_release_is_seen_without_its_cure_alone",
    ),
    Entry(
        name="pip_changes_the_release",
        symptom="pkg_resources.ContextualVersionConflict after source /usr/lib/ckan/default/bin/activate; pip install",
        package="pip",
        since="22.0",
        until="",
        cause=Text(
            "Root's pip writes into the environment that CKAN runs from, the way that the manual shows.",
            "pip schreibt als root in die Umgebung, aus der CKAN läuft, so wie es im Handbuch steht.",
        ),
        cost=Text(
            "The site runs with versions that nobody has tested, and fails at the next restart.",
            "Die Seite läuft mit Versionen, die niemand geprüft hat, und fehlt nach dem nächsten Neustart.",
        ),
        found=Text(
            "A release is compared with the record of its files.",
            "Ein Release wird mit dem Verzeichnis seiner Dateien verglichen.",
        ),
        cure=Text(
            "pip refuses to change a release; one that was changed is made anew.",
            "pip lehnt ab, ein Release zu ändern; ein geändertes wird neu gebaut.",
        ),
        undone=WITH_PACKAGE,
        place=Place.STEP,
        where="release",
        test="tests/system/test_odd_machines.py::test_a_release_is_shown_by_pip_and_not_changed",
        signs=(Sign("release", "has got the file"), Sign("release", "has changed its file")),
    ),
    Entry(
        name="dcor_update_fails",
        symptom="FileNotFoundError: [Errno 2] No such file or directory: '.../libexec/pip', from dcor update; "
        "Permission denied for each module, from dcor status",
        package="dcor_control",
        since="0.12.10",
        until="",
        cause=Text(
            "dcor looks for pip beside its own program, and installs unpinned versions of the day.",
            "dcor sucht pip neben seinem eigenen Programm und installiert die jeweils neuesten Versionen.",
        ),
        cost=Text(
            "An admin who follows the manual ends in a traceback, or with versions that do not go together.",
            "Wer dem Handbuch folgt, endet mit einem Traceback oder mit Versionen, die nicht zusammenpassen.",
        ),
        found=Text(
            "Upstream's program is in libexec of a release.", "Das Programm von DCOR liegt in libexec eines Release."
        ),
        cure=Text(
            "dcor update says that new versions come by apt; dcor status finds a pip that shows and changes nothing.",
            "dcor update verweist auf apt; dcor status findet ein pip, das nur anzeigt.",
        ),
        undone=WITH_PACKAGE,
        place=Place.RELEASE,
        where="bin/dcor",
        test="tests/system/test_odd_machines.py::test_upstreams_command_shows_its_modules_and_updates_nothing",
    ),
    Entry(
        name="unusable_pth",
        symptom="Error processing line 1 of .../site-packages/ckanext-dcor-theme-nspkg.pth: AttributeError: 'NoneType' "
        "object has no attribute 'loader'; Remainder of file ignored",
        package="setuptools",
        since="40.0.0",
        until="",
        cause=Text(
            "A .pth file has a line that fails for the user that runs CKAN: its source cannot be read by that user, it is of "
            "another Python, or it is left of a package that was uninstalled. A new line after the first semicolon, which "
            "the manual proposes, hides the message; the import still fails.",
            "Eine .pth-Datei hat eine Zeile, die für CKANs Benutzer scheitert: Er darf die Quelle nicht lesen, sie gehört zu "
            "einem anderen Python, oder sie blieb von einem entfernten Paket übrig. Der Zeilenumbruch, den das Handbuch "
            "vorschlägt, versteckt die Meldung; der Import scheitert weiterhin.",
        ),
        cost=Text(
            "The log fills up, and plugins of that package may not be found.",
            "Das Log läuft voll, und Plugins dieses Pakets werden womöglich nicht gefunden.",
        ),
        found=Text(
            "Each line of each .pth file of the release is tried as CKAN's user.",
            "Jede Zeile jeder .pth-Datei des Release wird als CKANs Benutzer ausprobiert.",
        ),
        cure=Text(
            "The release is made anew from its packages: such a file is left out, and each directory can be read.",
            "Das Release wird aus seinen Paketen neu gebaut: ohne eine solche Datei, und mit lesbaren Verzeichnissen.",
        ),
        undone=WITH_PACKAGE,
        place=Place.STEP,
        where="pth files of the release",
        test="tests/system/test_found_issues.py::test_pth_files_that_fail_for_ckan_are_named_and_gone",
        signs=(Sign("pth files of the release"),),
    ),
    Entry(
        name="plugin_not_found_in_development",
        symptom="ckan.plugins.core.PluginNotFoundException: dcor_schemas",
        package="dcor_control",
        since="0.7.5",
        until="",
        cause=Text(
            "dcor develop installs from editable checkouts, whose directories CKAN's user cannot enter.",
            "dcor develop installiert aus Arbeitskopien, deren Verzeichnisse CKANs Benutzer nicht betreten darf.",
        ),
        cost=Text("CKAN does not start.", "CKAN startet nicht."),
        found=Text(
            "Each checkout that the setting `develop` names is read as CKAN's user.",
            "Jede Arbeitskopie aus der Einstellung `develop` wird als CKANs Benutzer gelesen.",
        ),
        cure=Text(
            "A release is made with these checkouts, and CKAN's user, nobody else, gets the rights that it lacks.",
            "Ein Release wird mit diesen Arbeitskopien gebaut, und nur CKANs Benutzer erhält die Rechte, die ihm fehlen.",
        ),
        undone=Text(
            "By another value of the setting: what was given for a checkout is taken back.",
            "Durch einen anderen Wert der Einstellung: Was für eine Arbeitskopie gegeben wurde, wird zurückgenommen.",
        ),
        place=Place.STEP,
        where="checkouts",
        test="tests/system/test_develop.py::test_a_plugin_is_served_from_a_private_checkout_and_from_the_release_again",
        signs=(Sign("checkouts", "cannot read"),),
    ),
    Entry(
        name="plugin_migrations",
        symptom='sqlalchemy.exc.ProgrammingError: (psycopg2.errors.UndefinedTable) relation "..." does not exist, for a '
        "page of an extension",
        package="ckan",
        since="2.9.0",
        until="",
        cause=Text(
            "`ckan db upgrade` migrates CKAN's own tables; those of a plugin need a command of their own.",
            "`ckan db upgrade` migriert CKANs eigene Tabellen; die eines Plugins brauchen einen eigenen Befehl.",
        ),
        cost=Text(
            "Pages of an extension answer 500 after it was enabled or upgraded.",
            "Seiten einer Erweiterung antworten mit 500, nachdem sie eingeschaltet oder erneuert wurde.",
        ),
        found=Text(
            "The revision of each enabled plugin is compared with its migrations.",
            "Der Stand jedes eingeschalteten Plugins wird mit seinen Migrationen verglichen.",
        ),
        cure=Text("The tables of plugins are migrated as well.", "Die Tabellen der Plugins werden ebenso migriert."),
        undone=WITH_UPSTREAM,
        place=Place.STEP,
        where="database schema",
        test="tests/system/test_additions.py::test_the_tables_of_a_plugin_that_is_enabled_later_are_migrated",
        signs=(Sign("database schema", "plugin"),),
    ),
)
